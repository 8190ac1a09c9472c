//! `run`: extractions on demand, now.

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::{
    Extraction, ExtractionState, Planned, Query, Rule, Site, SiteKey, SiteState, Window,
};
use crate::extract::{self, Ended, Engine, Finished, Presence, Spool};
use crate::ledger::{KeyStanding, Ledger, Requested};
use crate::plan::{self, Asked};
use crate::privacy::PseudonymKey;

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::progress;
use super::report::{Failure, remark};
use super::site;

/// Extract now: plan the extractions, carry them out, and say how each ended
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A site; may be given more than once. All active sites if absent
    #[arg(long = "site", value_name = "KEY")]
    sites: Vec<SiteKey>,
    /// The active sites of a group; may be given more than once
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// A query, `observation` (its current version) or `observation@v1`; may be given more than once. All if absent
    // Its own id: under the name of the field, the values would be those of the global `--queries` too.
    #[arg(long = "query", id = "query", value_name = "NAME[@vN]")]
    queries: Vec<String>,
    /// First day of the window of incremental queries; yesterday at the site if absent
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<NaiveDate>,
    /// First day after the window
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<NaiveDate>,
    /// The day that snapshot queries are of; today at the site if absent
    #[arg(long, value_name = "DATE")]
    snapshot_date: Option<NaiveDate>,
    /// Extract again what is published already
    #[arg(long)]
    again: bool,
    /// Let a result without rows replace an object that has rows
    #[arg(long)]
    allow_empty: bool,
    /// Only show what would be extracted
    #[arg(long)]
    dry_run: bool,
}

impl Run {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = Arc::new(context.catalog(&config)?);
        let ledger = context.ledger(&config)?;
        let planned = self.plan(&catalog, &ledger)?;
        if self.dry_run {
            let rows: Vec<PlannedRow> = planned.iter().map(PlannedRow::of).collect();
            output::rows(context.format(), &rows)?;
            return Ok(ExitCode::Ok);
        }
        let todo = enter(&ledger, &planned, self.again)?;
        let standing = planned.len() - todo.len();
        if todo.is_empty() {
            remark(&format!(
                "all {standing} extractions are published already; --again extracts them again"
            ));
            show(context, &ledger, &planned, &[])?;
            return Ok(ExitCode::Ok);
        }
        let engine = engine(
            context,
            &config,
            Arc::clone(&catalog),
            Arc::clone(&ledger),
            &todo,
            self.allow_empty,
        )?;
        let (finished, signal) = carry_out(context, &config, engine, todo)?;
        show(context, &ledger, &planned, &finished)?;
        Ok(signal.unwrap_or_else(|| exit_code(&finished)))
    }

    /// What is asked for, as extractions.
    fn plan(&self, catalog: &Catalog, ledger: &Ledger) -> Result<Vec<Planned>, Failure> {
        let sites = self.sites(ledger)?;
        let queries = self.queries(catalog)?;
        let window = match (self.from, self.to) {
            (Some(from), Some(to)) => Some(Window::new(from, to).ok_or_else(|| {
                Failure::new(ExitCode::Usage, format!("the window from {from} to {to} is empty"))
                    .next("--to is the first day after the window: one day is --from 2026-11-18 --to 2026-11-19")
            })?),
            _ => None,
        };
        let asked = Asked {
            sites: &sites,
            queries: &queries,
            range: window,
            max_days: None,
            snapshot_date: self.snapshot_date,
        };
        let outcome = plan::on_demand(&asked, Utc::now());
        for skipped in &outcome.skipped {
            remark(&format!(
                "not extracted: {} {}: {}",
                skipped.site, skipped.query, skipped.why
            ));
        }
        if let Some(example) = outcome.unfinished.first() {
            remark(&format!(
                "{} windows end after today, such as {example}: later changes are not in them; the nightly windows, or --again, \
                 bring those",
                outcome.unfinished.len()
            ));
        }
        Ok(outcome.planned)
    }

    fn sites(&self, ledger: &Ledger) -> Result<Vec<Site>, Failure> {
        let mut chosen = Vec::new();
        for key in &self.sites {
            chosen.push(site::active(ledger, key)?);
        }
        let all = ledger
            .sites()
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let wanted = |site: &Site| site.groups.iter().any(|group| self.groups.contains(group));
        let everything = self.sites.is_empty() && self.groups.is_empty();
        chosen.extend(
            all.into_iter()
                .filter(|site| site.state == SiteState::Active && (everything || wanted(site))),
        );
        chosen.sort_by(|a, b| a.key.cmp(&b.key));
        chosen.dedup_by(|a, b| a.key == b.key);
        if chosen.is_empty() {
            return Err(Failure::new(ExitCode::Usage, "no site is active")
                .next("pair one (halo-extract site pair --pms-id ID --code CODE), then activate it (halo-extract site activate KEY)"));
        }
        Ok(chosen)
    }

    fn queries(&self, catalog: &Catalog) -> Result<Vec<Query>, Failure> {
        if self.queries.is_empty() {
            return Ok(catalog.current_queries().cloned().collect());
        }
        self.queries
            .iter()
            .map(|text| {
                catalog.select(text).cloned().map_err(|error| {
                    Failure::new(ExitCode::Usage, error)
                        .next("halo-extract query list shows every query with its versions")
                })
            })
            .collect()
    }
}

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

pub(super) fn has_pseudonyms(query: &Query) -> bool {
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
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let name = format!(
        "run-{}-{}",
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
    let cancel = CancellationToken::new();
    let observer = progress::bars(todo.len());
    let work = extract::work(engine, presence.name(), todo, observer, cancel.clone());
    context.block_on(async {
        let mut signal = None;
        tokio::pin!(work);
        let finished = loop {
            tokio::select! {
                finished = &mut work => break finished.map_err(failed)?,
                code = stop_signal() => match signal {
                    None => {
                        remark("stopping after the pages at hand; once more stops at once");
                        signal = Some(code);
                        cancel.cancel();
                    }
                    Some(first) => return Ok((Vec::new(), Some(first))),
                },
            }
        };
        Ok((finished, signal))
    })?
}

/// Waits for Ctrl-C or, on Unix, termination.
pub(super) async fn stop_signal() -> ExitCode {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        return tokio::select! {
            _ = tokio::signal::ctrl_c() => ExitCode::Interrupted,
            _ = terminate.recv() => ExitCode::Terminated,
        };
    }
    drop(tokio::signal::ctrl_c().await);
    ExitCode::Interrupted
}

/// All well, all ill (then the code of the first cause), or partly.
pub(crate) fn exit_code(finished: &[Finished]) -> ExitCode {
    let mut bad = finished
        .iter()
        .filter_map(|finished| match &finished.ended {
            Ended::Published(_) | Ended::Elsewhere => None,
            Ended::Failed(error) | Ended::Again(error) | Ended::Later(error, _) => {
                Some(ExitCode::of_failure(error.class()))
            }
            Ended::Stopped => Some(ExitCode::Interrupted),
        });
    let Some(first) = bad.next() else {
        return ExitCode::Ok;
    };
    if bad.count() + 1 < finished.len() {
        ExitCode::Partly
    } else {
        first
    }
}

/// Shows how each extraction stands, and on stderr why those failed that did.
pub(crate) fn show(
    context: &Context,
    ledger: &Ledger,
    planned: &[Planned],
    finished: &[Finished],
) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(planned.len());
    for item in planned {
        let row = ledger
            .extraction(&item.extraction)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let elapsed = finished
            .iter()
            .find(|it| it.extraction == item.extraction)
            .and_then(|it| match &it.ended {
                Ended::Published(published) => Some(published.cost.elapsed.as_secs_f64()),
                _ => None,
            });
        rows.extend(row.map(|row| Outcome::of(&row, elapsed)));
    }
    output::rows(context.format(), &rows)?;
    finished.iter().for_each(explain);
    Ok(())
}

fn explain(finished: &Finished) {
    let (error, fate) = match &finished.ended {
        Ended::Failed(error) | Ended::Again(error) => (error, "failed".to_owned()),
        Ended::Later(error, until) => (
            error,
            format!("waits until {}", until.format("%Y-%m-%d %H:%M:%S UTC")),
        ),
        Ended::Stopped => {
            return remark(&format!(
                "{}: stopped; the same command goes on with it",
                finished.extraction
            ));
        }
        Ended::Published(_) | Ended::Elsewhere => return,
    };
    let mut text = format!(
        "\n{}: {fate} ({})\n  what: {error}",
        finished.extraction,
        error.class()
    );
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("\n  caused by: {source}"));
        cause = source.source();
    }
    if let Some(why) = error.why() {
        text.push_str(&format!("\n  why: {why}"));
    }
    if let Some(next) = error.next() {
        text.push_str(&format!("\n  next: {next}"));
    }
    remark(&text);
}

/// One line of `run --dry-run`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct PlannedRow {
    site: String,
    query: String,
    window: String,
    reason: String,
}

impl PlannedRow {
    fn of(planned: &Planned) -> Self {
        let Extraction {
            site,
            query,
            window,
        } = &planned.extraction;
        Self {
            site: site.to_string(),
            query: query.to_string(),
            window: window.to_string(),
            reason: planned.due.to_string(),
        }
    }
}

impl Row for PlannedRow {
    const HEADINGS: &'static [&'static str] = &["SITE", "QUERY", "WINDOW", "REASON"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.reason.clone(),
        ]
    }
}

/// One line of `run`. Part of the documented JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    site: String,
    query: String,
    window: String,
    state: String,
    rows: Option<u64>,
    size_bytes: Option<u64>,
    seconds: Option<f64>,
    attempts: u32,
    proof: Option<crate::domain::Proof>,
    withheld: Option<u64>,
    path: Option<String>,
}

impl Outcome {
    fn of(row: &crate::ledger::ExtractionRow, seconds: Option<f64>) -> Self {
        let Extraction {
            site,
            query,
            window,
        } = &row.extraction;
        Self {
            site: site.to_string(),
            query: query.to_string(),
            window: window.to_string(),
            state: row.state.to_string(),
            rows: row.object.as_ref().map(|object| object.rows),
            size_bytes: row.object.as_ref().map(|object| object.size_bytes),
            seconds,
            attempts: row.attempts,
            proof: row.proof,
            withheld: row.proof.and_then(|proof| proof.withheld),
            path: row.object.as_ref().map(|object| object.path.clone()),
        }
    }
}

impl Row for Outcome {
    const HEADINGS: &'static [&'static str] = &[
        "SITE", "QUERY", "WINDOW", "STATE", ">ROWS", ">SIZE", ">SECONDS", "PROOF",
    ];

    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.state.clone(),
            self.rows.map_or_else(dash, |rows| rows.to_string()),
            self.size_bytes.map_or_else(dash, output::size),
            self.seconds
                .map_or_else(dash, |seconds| format!("{seconds:.2}")),
            self.proof.map_or_else(dash, |proof| {
                format!(
                    "{} = {} = {} = {}",
                    proof.declared, proof.pages, proof.batches, proof.footer
                )
            }),
        ]
    }
}
