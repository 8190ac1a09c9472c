//! From a plan to its end: into the ledger, through the workers, until all is done or a signal says stop.

use std::sync::Arc;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::{Extraction, ExtractionState, Planned, Query, Rule};
use crate::extract::{self, Engine, Finished, Observer, Presence, Spool};
use crate::ledger::{KeyStanding, Ledger, Requested};
use crate::privacy::PseudonymKey;

use super::context::Context;
use super::exit_code::ExitCode;
use super::progress;
use super::report::{Failure, remark};
use super::stop_signals::StopSignals;

/// Takes a plan into the ledger and tells what is to do: what failed before is asked again, what is published
/// only if `again`.
pub(crate) fn enter(
    ledger: &Ledger,
    planned: &[Planned],
    again: bool,
) -> Result<Vec<Extraction>, Failure> {
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let now = Utc::now();
    let outcome = ledger.plan(planned, now).map_err(failed)?;
    let mut todo = outcome.added;
    for (extraction, state) in outcome.already {
        if state == ExtractionState::Succeeded && !again {
            continue;
        }
        match ledger.request_again(&extraction, now).map_err(failed)? {
            Requested::Pending | Requested::Running => todo.push(extraction),
        }
    }
    Ok(todo)
}

/// What attempts at `todo` work with; the pseudonym key is asked for only when a query needs it.
pub(crate) fn engine(
    context: &Context,
    config: &Config,
    catalog: Arc<Catalog>,
    ledger: Arc<Ledger>,
    todo: &[Extraction],
    allow_empty: bool,
) -> Result<Engine, Failure> {
    let needs_key = todo
        .iter()
        .filter_map(|extraction| catalog.get(&extraction.query))
        .any(has_pseudonyms);
    engine_for(context, config, catalog, ledger, needs_key, allow_empty)
}

/// What attempts work with, with or without the pseudonym key.
pub(crate) fn engine_for(
    context: &Context,
    config: &Config,
    catalog: Arc<Catalog>,
    ledger: Arc<Ledger>,
    needs_key: bool,
    allow_empty: bool,
) -> Result<Engine, Failure> {
    Ok(Engine {
        environment: config.environment,
        client: context.client(config)?,
        store: context.store(config)?,
        spool: Spool::open(&config.home, config.halo.spool_most_bytes),
        pseudonym_key: if needs_key {
            Some(settled_key(context, config, &ledger)?)
        } else {
            None
        },
        ledger,
        catalog,
        halo: config.halo.clone(),
        limits: config.limits,
        allow_empty,
        quiet: None,
        clock: Arc::new(Utc::now),
    })
}

/// The configured pseudonym key, if it is the one in use; the first that is used is recorded.
fn settled_key(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
) -> Result<PseudonymKey, Failure> {
    let key = context.pseudonym_key(config)?;
    let standing = ledger
        .settle_pseudonym_key(key.id(), Utc::now())
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    match standing {
        KeyStanding::First | KeyStanding::Same => Ok(key),
        KeyStanding::Other(recorded) => Err(Failure::new(
            ExitCode::Config,
            format!(
                "the configured pseudonym key has the id {}, and the objects are written with {} since {}: patients could no longer \
                 be linked",
                key.id(),
                recorded.id,
                recorded.since.format("%Y-%m-%d")
            ),
        )
        .next("put the former key back; if the key is meant to change: halo-extract privacy rotate-key --reason TEXT")),
    }
}

pub(crate) fn has_pseudonyms(query: &Query) -> bool {
    query
        .contract
        .columns
        .iter()
        .any(|column| matches!(column.rule, Some(Rule::Pseudonym { .. })))
}

/// Carries the extractions out under a name of this process; the first Ctrl-C or termination stops after the
/// pages at hand, the second at once.
pub(crate) fn carry_out(
    context: &Context,
    config: &Config,
    engine: Engine,
    todo: Vec<Extraction>,
) -> Result<(Vec<Finished>, Option<ExitCode>), Failure> {
    let observer = progress::bars(todo.len());
    carry_out_watched(context, config, engine, todo, observer)
}

/// As [`carry_out`], with somebody else who watches.
pub(crate) fn carry_out_watched(
    context: &Context,
    config: &Config,
    engine: Engine,
    todo: Vec<Extraction>,
    observer: Arc<Observer>,
) -> Result<(Vec<Finished>, Option<ExitCode>), Failure> {
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let presence = present(config, &engine, "run")?;
    let (ledger, name) = (Arc::clone(&engine.ledger), presence.name().to_owned());
    let cancel = CancellationToken::new();
    let work = extract::work(engine, &name, todo, observer, cancel.clone());
    context.block_on(async {
        let (mut signals, mut signal) = (StopSignals::listen(), None);
        tokio::pin!(work);
        let finished = loop {
            tokio::select! {
                finished = &mut work => break finished.map_err(failed)?,
                code = signals.next() => match signal {
                    None => {
                        remark("stopping after the pages at hand; once more stops at once");
                        signal = Some(code);
                        cancel.cancel();
                    }
                    Some(first) => {
                        stop_at_once(&ledger, presence)?;
                        return Ok((Vec::new(), Some(first)));
                    }
                },
            }
        };
        presence.leave();
        Ok((finished, signal))
    })?
}

/// Gives back what is at work, so that whoever is there goes on with it without waiting for leases to run out.
pub(crate) fn stop_at_once(ledger: &Ledger, presence: Presence) -> Result<(), Failure> {
    ledger
        .release_worker(presence.name(), Utc::now())
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    presence.leave();
    Ok(())
}

/// Announces this process as a worker, takes over what dead ones left, and forgets pages that nobody needs.
pub(crate) fn present(config: &Config, engine: &Engine, kind: &str) -> Result<Presence, Failure> {
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let name = format!(
        "{kind}-{}-{}",
        std::process::id(),
        Utc::now().timestamp_micros()
    );
    let (presence, dead) = Presence::announce(&config.home, &name)
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    for worker in dead {
        engine
            .ledger
            .release_worker(&worker, Utc::now())
            .map_err(failed)?;
        presence.forget(&worker);
    }
    engine
        .spool
        .sweep(|| engine.ledger.open_remote_queries())
        .map_err(failed)?;
    Ok(presence)
}
