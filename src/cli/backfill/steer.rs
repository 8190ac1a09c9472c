//! `backfill pause`, `resume`, `cancel`, `retry`, `prioritise`.

use std::sync::Arc;

use clap::Args;

use crate::domain::{BackfillEvent, BackfillState};
use crate::ledger::{BackfillRow, Ledger, Steered};

use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::report::{Failure, remark};
use super::follow::{Going, go};
use super::target::find;

/// The backfill, and why it is steered.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Its number, or the beginning of its digest
    #[arg(value_name = "ID|DIGEST")]
    backfill: String,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Claim no more units until it is resumed; what is at work goes on to its end
#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    chosen: Chosen,
}

/// Go on with one that is paused, or that stopped because too many units failed
#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    going: Going,
}

/// Call off what waits; what is published stays
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    chosen: Chosen,
}

/// Ask for the failed units again
#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    going: Going,
}

/// Change the priority of what is left of it
#[derive(Debug, Args)]
pub(crate) struct Prioritise {
    #[command(flatten)]
    chosen: Chosen,
    /// Higher goes first; 0 is usual
    #[arg(value_name = "N", allow_negative_numbers = true)]
    priority: i32,
}

impl Pause {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let (ledger, row) = self.chosen.open(context)?;
        steer(
            context,
            &ledger,
            &row,
            BackfillEvent::Pause,
            &self.chosen.reason,
        )?;
        remark(&format!(
            "backfill {} is paused; to go on: halo-extract backfill resume {}",
            row.id, row.id
        ));
        Ok(())
    }
}

impl Cancel {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let (ledger, row) = self.chosen.open(context)?;
        let event = BackfillEvent::Cancel;
        let units = steer(context, &ledger, &row, event, &self.chosen.reason)?;
        remark(&format!(
            "backfill {} is cancelled: {units} units were called off",
            row.id
        ));
        Ok(())
    }
}

impl Resume {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        steer_and_go(context, &self.chosen, BackfillEvent::Resume, &self.going)
    }
}

impl Retry {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        steer_and_go(context, &self.chosen, BackfillEvent::Retry, &self.going)
    }
}

impl Prioritise {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let (ledger, row) = self.chosen.open(context)?;
        let change = context.change("backfill prioritise", &self.chosen.reason);
        ledger
            .prioritise_backfill(row.id, self.priority, &change)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        remark(&format!(
            "backfill {} has the priority {} now",
            row.id, self.priority
        ));
        Ok(())
    }
}

impl Chosen {
    fn open(&self, context: &Context) -> Result<(Arc<Ledger>, BackfillRow), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let row = find(&ledger, &self.backfill)?;
        Ok((ledger, row))
    }
}

fn steer_and_go(
    context: &Context,
    chosen: &Chosen,
    event: BackfillEvent,
    going: &Going,
) -> Result<ExitCode, Failure> {
    let config = context.config()?;
    let catalog = Arc::new(context.catalog(&config)?);
    let (ledger, row) = chosen.open(context)?;
    steer(context, &ledger, &row, event, &chosen.reason)?;
    go(context, &config, catalog, ledger, row.id, going)
}

/// Does it, or says why it makes no sense; returns how many extractions were changed.
pub(super) fn steer(
    context: &Context,
    ledger: &Ledger,
    row: &BackfillRow,
    event: BackfillEvent,
    reason: &str,
) -> Result<usize, Failure> {
    let verb = match event {
        BackfillEvent::Start => "start",
        BackfillEvent::Pause => "pause",
        BackfillEvent::Resume => "resume",
        BackfillEvent::Cancel => "cancel",
        BackfillEvent::Retry => "retry",
        BackfillEvent::Stop => "stop",
        BackfillEvent::Finish => "finish",
    };
    let change = context.change(&format!("backfill {verb}"), reason);
    let steered = ledger
        .steer_backfill(row.id, event, &change)
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    match steered {
        Steered::Done { units, .. } => Ok(units),
        Steered::Refused(state) => {
            let failure = Failure::new(
                ExitCode::Usage,
                format!(
                    "backfill {} is {state}, so there is nothing to {verb}",
                    row.id
                ),
            );
            Err(match state {
                BackfillState::Planned => failure.next(format!(
                    "to start it: halo-extract backfill start {}",
                    row.id
                )),
                _ => failure.next(format!(
                    "halo-extract backfill show {} says how it stands",
                    row.id
                )),
            })
        }
        Steered::Unknown => Err(Failure::new(
            ExitCode::Usage,
            format!("there is no backfill {}", row.id),
        )),
    }
}
