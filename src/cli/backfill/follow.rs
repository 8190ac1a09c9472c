//! Carrying a backfill out in the foreground, slice by slice, until nothing is left or somebody says stop.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::{BackfillId, BackfillState};
use crate::extract::{Finished, Observer};
use crate::ledger::{BackfillRow, Ledger};

use super::super::carry_out::{carry_out_watched, engine, stop_signal};
use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::outcome::explain;
use super::super::progress;
use super::super::report::{Failure, remark};
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
    going: &Going,
) -> Result<ExitCode, Failure> {
    if going.detach {
        remark(&format!(
            "to watch it: halo-extract backfill show {id} --follow"
        ));
        return Ok(ExitCode::Ok);
    }
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let first = read(&ledger, id)?;
    let over = first.counts.succeeded + first.counts.failed + first.counts.cancelled;
    let observer = progress::backfill_bars(over, first.counts.units);
    let mut told_waiting = None;
    loop {
        ledger.settle_backfill(id, Utc::now()).map_err(failed)?;
        let row = read(&ledger, id)?;
        if row.state != BackfillState::Running {
            return Ok(ended(&row));
        }
        let due = ledger.due_units(id, SLICE, Utc::now()).map_err(failed)?;
        if due.is_empty() {
            let next = ledger.next_unit_at(id).map_err(failed)?;
            if row.counts.running == 0 && (going.no_wait || next.is_none()) {
                return Ok(later(&row, next));
            }
            if row.counts.running == 0 && told_waiting != next {
                remark(&waiting(&row, next));
                told_waiting = next;
            }
            if let Some(signal) = pause(context)? {
                return Ok(left(id, signal));
            }
            continue;
        }
        let work = (Arc::clone(&catalog), Arc::clone(&ledger));
        let (finished, signal) = slice(context, config, work, due, &observer)?;
        finished.iter().for_each(explain);
        remark(&line(&read(&ledger, id)?, Utc::now()));
        if let Some(signal) = signal {
            return Ok(left(id, signal));
        }
    }
}

fn slice(
    context: &Context,
    config: &Config,
    (catalog, ledger): (Arc<Catalog>, Arc<Ledger>),
    due: Vec<crate::domain::Extraction>,
    observer: &Arc<Observer>,
) -> Result<(Vec<Finished>, Option<ExitCode>), Failure> {
    let engine = engine(context, config, catalog, ledger, &due, false)?;
    carry_out_watched(context, config, engine, due, Arc::clone(observer))
}

/// Waits a moment; tells if a signal came.
fn pause(context: &Context) -> Result<Option<ExitCode>, Failure> {
    context.block_on(async {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => None,
            signal = stop_signal() => Some(signal),
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

/// Nothing can be done now: by time, or because sites are not active.
fn later(row: &BackfillRow, next: Option<DateTime<Utc>>) -> ExitCode {
    remark(&waiting(row, next));
    ExitCode::TryLater
}

fn waiting(row: &BackfillRow, next: Option<DateTime<Utc>>) -> String {
    let (id, units) = (row.id, row.counts.waiting);
    match next {
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
