//! `site review`: a person decides whether a site is still the same practice.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::report::Failure;
use crate::domain::SiteEvent;

use super::change::{Chosen, Step};

/// Settle whether a site under review is still the same practice
#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    chosen: Chosen,
    /// It is the same practice; the site is held until it is activated
    #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
    accept: bool,
    /// It is another practice; the site is withdrawn
    #[arg(long)]
    reject: bool,
}

impl Review {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let step = if self.accept {
            Step::new("review --accept", SiteEvent::Accept)
        } else {
            Step::new("review --reject", SiteEvent::Reject)
        };
        self.chosen.apply(context, &step)
    }
}
