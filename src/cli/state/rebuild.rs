//! `state rebuild`: a ledger that was lost, from what the objects tell.

use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;

use crate::lake::Rebuilt;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::lake::{failed, holdings};
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};

/// Record the objects in storage of which the ledger knows nothing, after it was lost
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// From the footers of the objects in storage, the only source there is
    #[arg(long, required = true)]
    from_output: bool,
    /// Time zone of sites that the ledger does not know; objects do not tell it
    #[arg(long, default_value = "Australia/Sydney", value_name = "ZONE")]
    time_zone: Tz,
}

impl Rebuild {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let holdings = holdings(context, &config)?;
        let change = context.change("rebuild", "the ledger was rebuilt from the objects");
        let rebuilt = context
            .block_on(holdings.rebuild(self.time_zone, &change))?
            .map_err(failed)?;
        output::rows(context.format(), &[Done::of(&rebuilt)])?;
        for (path, wrong) in &rebuilt.wrong {
            remark(&format!("not recorded: {path}: {wrong}"));
        }
        if let Some(site) = rebuilt.sites.first() {
            remark(&format!(
                "{} sites were not known and are held: check their time zone, and pair each again under its key, such as {site}",
                rebuilt.sites.len()
            ));
        }
        Ok(if rebuilt.wrong.is_empty() {
            ExitCode::Ok
        } else {
            ExitCode::Partly
        })
    }
}

/// What was done. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Done {
    recorded: u64,
    known: u64,
    sites: Vec<String>,
    wrong: usize,
}

impl Done {
    fn of(rebuilt: &Rebuilt) -> Self {
        Self {
            recorded: rebuilt.recorded,
            known: rebuilt.known,
            sites: rebuilt.sites.iter().map(ToString::to_string).collect(),
            wrong: rebuilt.wrong.len(),
        }
    }
}

impl Row for Done {
    const HEADINGS: &'static [&'static str] = &[
        ">RECORDED",
        ">KNOWN BEFORE",
        ">SITES ADDED",
        ">NOT RECORDED",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.recorded.to_string(),
            self.known.to_string(),
            self.sites.len().to_string(),
            self.wrong.to_string(),
        ]
    }
}
