//! `backfill`: history rebuilt unit by unit, from a plan that is seen before it is started.

mod follow;
mod made;
mod pace;
mod plan;
mod show;
mod start;
mod steer;
mod target;

use clap::Subcommand;

use super::context::Context;
use super::exit_code::ExitCode;
use super::report::Failure;

/// History: plan it, see what it costs, start it, and steer it while it runs
#[derive(Debug, Subcommand)]
pub(crate) enum Backfill {
    Plan(plan::Plan),
    Start(start::Start),
    List(show::List),
    Show(show::Show),
    Pause(steer::Pause),
    Resume(steer::Resume),
    Cancel(steer::Cancel),
    Retry(steer::Retry),
    Prioritise(steer::Prioritise),
}

impl Backfill {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::Plan(plan) => plan.run(context).map(|()| ExitCode::Ok),
            Self::Start(start) => start.run(context),
            Self::List(list) => list.run(context).map(|()| ExitCode::Ok),
            Self::Show(show) => show.run(context).map(|()| ExitCode::Ok),
            Self::Pause(pause) => pause.run(context).map(|()| ExitCode::Ok),
            Self::Resume(resume) => resume.run(context),
            Self::Cancel(cancel) => cancel.run(context).map(|()| ExitCode::Ok),
            Self::Retry(retry) => retry.run(context),
            Self::Prioritise(prioritise) => prioritise.run(context).map(|()| ExitCode::Ok),
        }
    }
}
