//! `backfill start`: exactly the plan that was seen, or nothing.

use std::sync::Arc;

use clap::Args;

use crate::catalog::Catalog;
use crate::domain::{BackfillEvent, BackfillState};
use crate::ledger::{BackfillRow, Ledger};
use crate::plan::backfill::{Unit, differences};

use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::report::{Failure, remark};
use super::follow::{Going, go};
use super::made::{Kept, Made};
use super::steer::steer;
use super::target::find;

/// Start a plan, if the world is still as it was when it was made; goes on with one that was interrupted
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Its number, or the beginning of its digest
    #[arg(value_name = "ID|DIGEST")]
    backfill: String,
    #[command(flatten)]
    going: Going,
}

impl Start {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = Arc::new(context.catalog(&config)?);
        let ledger = context.ledger(&config)?;
        let row = find(&ledger, &self.backfill)?;
        match row.state {
            BackfillState::Planned => {
                refuse_if_the_world_moved(&row, &catalog, &ledger)?;
                let units = steer(context, &ledger, &row, BackfillEvent::Start, "")?;
                remark(&format!(
                    "backfill {} has started: {units} units are due",
                    row.id
                ));
            }
            BackfillState::Running => {
                remark(&format!(
                    "backfill {} was started before; going on with it",
                    row.id
                ));
            }
            ref other => {
                return Err(Failure::new(
                    ExitCode::Usage,
                    format!("backfill {} is {other}", row.id),
                )
                .next(next_of(other, &row)));
            }
        }
        go(context, &config, catalog, ledger, row.id, &self.going)
    }
}

fn next_of(state: &BackfillState, row: &BackfillRow) -> String {
    match state {
        BackfillState::Paused | BackfillState::Stopped => {
            format!("to go on: halo-extract backfill resume {}", row.id)
        }
        BackfillState::Finished if row.counts.failed > 0 => {
            format!(
                "to ask for the failed units again: halo-extract backfill retry {}",
                row.id
            )
        }
        _ => "to rebuild what is missing now: halo-extract backfill plan --from DATE".to_owned(),
    }
}

/// Makes the plan again from the ledger and the query files of this moment.
fn refuse_if_the_world_moved(
    row: &BackfillRow,
    catalog: &Catalog,
    ledger: &Ledger,
) -> Result<(), Failure> {
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let kept: Kept = serde_json::from_str(&row.asked).map_err(|error| {
        Failure::new(
            ExitCode::Failed,
            format!("the plan of backfill {} cannot be read: {error}", row.id),
        )
        .next("it was made by another version of this program; make it again: halo-extract backfill plan --from DATE")
    })?;
    let planned: Vec<Unit> = ledger
        .backfill_units(row.id)
        .map_err(failed)?
        .into_iter()
        .map(|unit| Unit {
            extraction: unit.extraction,
            due: unit.due,
        })
        .collect();
    let now = Made::of(kept.asked, catalog, ledger)?;
    let found = differences(
        (&kept.texts, &planned),
        (&now.kept.texts, &now.units, &now.left),
    );
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(|it| format!("\n  {it}")).collect();
    Err(Failure::new(
        ExitCode::Failed,
        format!(
            "backfill {} was planned for a world that has changed since, so nothing was started:{}",
            row.id,
            lines.concat()
        ),
    )
    .next("look at what it would be now, with the same options: halo-extract backfill plan --from DATE"))
}
