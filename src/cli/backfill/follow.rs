//! Carrying a backfill out in the foreground, slice by slice, until nothing is left or somebody says stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::{BackfillId, BackfillState, Extraction, Lane, SiteKey, Waiting};
use crate::extract::{AttemptError, Ended, Finished, Observer};
use crate::ledger::{BackfillRow, Ledger, LedgerError};
use crate::plan::Rules;

use super::super::carry_out::{carry_out_watched, engine};
use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::lake;
use super::super::outcome::explain;
use super::super::progress;
use super::super::report::{Failure, remark};
use super::super::serve::rules;
use super::super::stop_signals::StopSignals;
use super::pace::line;

/// Units that are taken at once: so many that the workers seldom wait for the last of a slice.
const SLICE: u32 = 200;

/// How often it is looked whether something became due, while nothing is.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Whether and how long this process carries the backfill out.
#[derive(Debug, Args)]
pub(super) struct Going {
    /// Only say that it may run; `serve` carries it out when there is room
    #[arg(long)]
    detach: bool,
    /// End when all that is left waits for a later time, instead of waiting for it
    #[arg(long, conflicts_with = "detach")]
    no_wait: bool,
}

/// Carries the backfill out and says how it ended.
pub(super) fn go(
    context: &Context,
    config: &Config,
    catalog: Arc<Catalog>,
    ledger: Arc<Ledger>,
    id: BackfillId,
    options: &Going,
) -> Result<ExitCode, Failure> {
    if options.detach {
        remark(&format!(
            "to watch it: halo-extract backfill show {id} --follow"
        ));
        return Ok(ExitCode::Ok);
    }
    let holdings = lake::holdings_with(context, config, Arc::clone(&ledger))?;
    lake::sweep(context, &holdings)?;
    // The budget may have been raised since it was spent.
    ledger
        .try_again(&Waiting::BudgetSpent, Utc::now())
        .map_err(failed)?;
    let counts = read(&ledger, id)?.counts;
    let over = counts.succeeded + counts.failed + counts.cancelled;
    let mut going = Foreground {
        context,
        config,
        catalog,
        rules: rules(&config.schedule),
        observer: progress::backfill_bars(over, counts.units),
        ledger,
        id,
        published: false,
    };
    let code = going.carry_on(options.no_wait)?;
    let was_stopped = matches!(code, ExitCode::Interrupted | ExitCode::Terminated);
    if going.published && !was_stopped {
        lake::refresh(context, &holdings, &going.catalog)?;
    }
    Ok(code)
}

/// What carrying it out here works with.
struct Foreground<'a> {
    context: &'a Context,
    config: &'a Config,
    catalog: Arc<Catalog>,
    ledger: Arc<Ledger>,
    rules: Rules,
    id: BackfillId,
    observer: Arc<Observer>,
    /// Whether there is something new to tell readers of.
    published: bool,
}

impl Foreground<'_> {
    fn carry_on(&mut self, no_wait: bool) -> Result<ExitCode, Failure> {
        let id = self.id;
        let mut signals = self.context.block_on(async { StopSignals::listen() })?;
        let mut told_waiting = None;
        loop {
            self.ledger
                .settle_backfill(id, Utc::now())
                .map_err(failed)?;
            let row = read(&self.ledger, id)?;
            if row.state != BackfillState::Running {
                return Ok(ended(&row));
            }
            let due = self.due()?;
            if !due.is_empty() {
                if let Some(signal) = self.slice(due)? {
                    return Ok(left(id, signal));
                }
                continue;
            }
            let next = self.ledger.next_unit_at(id).map_err(failed)?;
            if row.counts.running == 0 && (no_wait || next.is_none()) {
                remark(&waiting(&row, next, Utc::now()));
                return Ok(ExitCode::TryLater);
            }
            if row.counts.running == 0 && told_waiting != next {
                remark(&waiting(&row, next, Utc::now()));
                told_waiting = next;
            }
            if let Some(signal) = pause(self.context, &mut signals)? {
                return Ok(left(id, signal));
            }
        }
    }

    /// The next units that are due at sites that are open. What waits at a site that is closed is put off until it
    /// opens, all at once.
    fn due(&self) -> Result<Vec<Extraction>, Failure> {
        loop {
            let now = Utc::now();
            let due = self.ledger.due_units(self.id, SLICE, now).map_err(failed)?;
            let sites: BTreeSet<&SiteKey> = due.iter().map(|unit| &unit.site).collect();
            let mut put_off = 0;
            for key in sites {
                let Some(site) = self.ledger.site(key).map_err(failed)? else {
                    continue;
                };
                let opens = self.rules.begin(&site, now);
                if opens > now {
                    put_off += self
                        .ledger
                        .put_off_site(key, &Lane::Backfill, &Waiting::QuietHours, opens, now)
                        .map_err(failed)?;
                }
            }
            // What was asked before the site closed stays due: its result can be fetched at any hour.
            if put_off == 0 {
                return Ok(due);
            }
        }
    }

    /// Lets the other units of sites whose queries of the month are spent wait as long, instead of claiming each.
    fn put_off_spent(&self, finished: &[Finished]) -> Result<(), Failure> {
        for item in finished {
            if let Ended::Later(AttemptError::BudgetSpent { site, until, .. }, _) = &item.ended {
                self.ledger
                    .put_off_site(
                        site,
                        &Lane::Backfill,
                        &Waiting::BudgetSpent,
                        *until,
                        Utc::now(),
                    )
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Carries units out and tells how it goes; the signal that ended it, if one did.
    fn slice(&mut self, due: Vec<Extraction>) -> Result<Option<ExitCode>, Failure> {
        let (catalog, ledger) = (Arc::clone(&self.catalog), Arc::clone(&self.ledger));
        let mut engine = engine(self.context, self.config, catalog, ledger, &due, false)?;
        engine.quiet = Some(self.rules);
        let observer = Arc::clone(&self.observer);
        let (finished, signal) =
            carry_out_watched(self.context, self.config, engine, due, observer)?;
        explain(&finished);
        self.put_off_spent(&finished)?;
        let is_published = |it: &Finished| matches!(it.ended, Ended::Published(_));
        self.published |= finished.iter().any(is_published);
        remark(&line(&read(&self.ledger, self.id)?, Utc::now()));
        Ok(signal)
    }
}

fn failed(error: LedgerError) -> Failure {
    Failure::new(ExitCode::Failed, error)
}

/// Waits a moment; tells if a signal came.
fn pause(context: &Context, signals: &mut StopSignals) -> Result<Option<ExitCode>, Failure> {
    context.block_on(async {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => None,
            signal = signals.next() => Some(signal),
        }
    })
}

pub(super) fn read(ledger: &Ledger, id: BackfillId) -> Result<BackfillRow, Failure> {
    let row = ledger
        .backfill(id, Utc::now())
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    row.ok_or_else(|| Failure::new(ExitCode::Failed, format!("there is no backfill {id}")))
}

/// Says how it ended, and the exit code of that.
fn ended(row: &BackfillRow) -> ExitCode {
    let id = row.id;
    match (&row.state, row.counts.failed) {
        (BackfillState::Finished, 0) => {
            remark(&format!(
                "backfill {id} is finished: {} units, {} rows",
                row.counts.succeeded, row.counts.rows
            ));
            ExitCode::Ok
        }
        (BackfillState::Finished, failed) => {
            remark(&format!(
                "backfill {id} is finished: {} units, and {failed} failed\nnext: halo-extract backfill show {id} says why; \
                 halo-extract backfill retry {id} asks for them again",
                row.counts.succeeded
            ));
            ExitCode::Partly
        }
        (BackfillState::Stopped, _) => {
            remark(&format!(
                "backfill {id} has stopped: {}\nnext: halo-extract backfill show {id} says why; halo-extract backfill resume {id} \
                 goes on all the same, halo-extract backfill retry {id} with the failed ones too",
                row.reason.as_deref().unwrap_or("too many units failed")
            ));
            ExitCode::Partly
        }
        (state, _) => {
            remark(&format!(
                "backfill {id} is {state}; {} units are published",
                row.counts.succeeded
            ));
            ExitCode::Ok
        }
    }
}

/// Why nothing can be done now: nights go first, it is not the time, or sites are not active.
fn waiting(row: &BackfillRow, next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let (id, units) = (row.id, row.counts.waiting);
    match next {
        Some(next) if next <= now => format!(
            "{units} units of backfill {id} wait for nights that are due at their sites and go first; halo-extract serve carries \
             them out"
        ),
        Some(next) => format!(
            "{units} units of backfill {id} wait, the first until {} UTC; halo-extract backfill show {id} says for what",
            next.format("%Y-%m-%d %H:%M:%S")
        ),
        None => format!(
            "{units} units of backfill {id} wait for sites that are not active; activate them or cancel it: \
             halo-extract backfill cancel {id}"
        ),
    }
}

fn left(id: BackfillId, signal: ExitCode) -> ExitCode {
    remark(&format!(
        "left; nothing is lost. To go on: halo-extract backfill start {id}; so that nothing else goes on with it: halo-extract \
         backfill pause {id}"
    ));
    signal
}
