//! `site`: the practices, from the pairing code to withdrawal.
//!
//! What a command decides is in pure functions of its file (`registration`, `refusal`, `registry_file`, the
//! lifecycle in `domain`); the rest asks the API, writes the ledger and prints.

mod activate;
mod change;
mod export;
mod import;
mod instructions;
mod known;
mod list;
mod pair;
mod refusal;
mod registration;
mod registry_file;
mod review;
mod set;
mod show;
mod verify;

pub(crate) use known::{active, failed, known, toward_active};
pub(crate) use registration::Invitation;

use clap::Subcommand;

use crate::domain::SiteEvent;

use super::context::Context;
use super::exit_code::ExitCode;
use super::report::Failure;
use change::{Chosen, Pause, Step};

/// Practices, from pairing to withdrawal
#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    Pair(pair::Pair),
    Import(import::Import),
    Export(export::Export),
    /// List the sites with state, practice name and versions
    List,
    Show(show::Show),
    Set(set::Set),
    Activate(activate::Activate),
    /// Stop extraction until sites are activated again
    Hold(Chosen),
    Pause(Pause),
    /// End extraction for good; what is published stays
    Withdraw(Chosen),
    Review(review::Review),
    Verify(verify::Verify),
    Instructions(instructions::Instructions),
}

impl Site {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let apply =
            |chosen: &Chosen, action, event| chosen.apply(context, &Step::new(action, event));
        match self {
            Self::Pair(pair) => pair.run(context),
            Self::Import(import) => return import.run(context),
            Self::Export(export) => export.run(context),
            Self::List => list::list(context),
            Self::Show(show) => show.run(context),
            Self::Set(set) => set.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Instructions(instructions) => instructions.run(),
            Self::Activate(activate) => activate.run(context),
            Self::Hold(chosen) => apply(chosen, "hold", SiteEvent::Hold),
            Self::Pause(pause) => pause.run(context),
            Self::Withdraw(chosen) => apply(chosen, "withdraw", SiteEvent::Withdraw),
            Self::Review(review) => review.run(context),
        }
        .map(|()| ExitCode::Ok)
    }
}
