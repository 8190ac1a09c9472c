//! `site`: the practices, from the pairing code to withdrawal.
//!
//! What a command decides is in pure functions of its file (`registration`, `refusal`, the lifecycle in
//! `domain`); the rest asks the API, writes the ledger and prints.

mod change;
mod instructions;
mod known;
mod list;
mod pair;
mod refusal;
mod registration;
mod review;
mod set;
mod verify;

pub(crate) use known::{active, failed, known};
pub(crate) use registration::Invitation;

use clap::Subcommand;

use crate::domain::SiteEvent;

use super::context::Context;
use super::report::Failure;
use change::{Chosen, Pause, Step};

/// Practices, from pairing to withdrawal
#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    Pair(pair::Pair),
    /// List the sites with state, practice name and versions
    List,
    /// Begin extraction from held or paused sites
    Activate(Chosen),
    /// Stop extraction until sites are activated again
    Hold(Chosen),
    Pause(Pause),
    /// End extraction for good; what is published stays
    Withdraw(Chosen),
    Review(review::Review),
    Set(set::Set),
    Verify(verify::Verify),
    Instructions(instructions::Instructions),
}

impl Site {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Pair(pair) => pair.run(context),
            Self::List => list::list(context),
            Self::Activate(chosen) => {
                chosen.apply(context, &Step::new("activate", SiteEvent::Activate))
            }
            Self::Hold(chosen) => chosen.apply(context, &Step::new("hold", SiteEvent::Hold)),
            Self::Pause(pause) => pause.run(context),
            Self::Withdraw(chosen) => {
                chosen.apply(context, &Step::new("withdraw", SiteEvent::Withdraw))
            }
            Self::Review(review) => review.run(context),
            Self::Set(set) => set.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Instructions(instructions) => instructions.run(),
        }
    }
}
