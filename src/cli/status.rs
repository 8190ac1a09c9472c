//! `status`: how the fleet stands, from the ledger alone.

use std::collections::BTreeMap;

use clap::Args;

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::{Failure, remark};

/// Show per query and state how many extractions there are
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show instead which columns do not fit their contracts, at how many sites, under which PMS versions
    #[arg(long)]
    drift: bool,
}

impl Status {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        if self.drift {
            let drifts = ledger
                .drift()
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            output::rows(context.format(), &drifts)?;
            if drifts.is_empty() {
                remark(
                    "no extraction stands failed because of its contract or of a column that a site does not have",
                );
            }
            return Ok(());
        }
        let summary = ledger
            .summary()
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        output::rows(context.format(), &summary.rows)
    }
}

impl Row for crate::ledger::SummaryRow {
    const HEADINGS: &'static [&'static str] = &["QUERY", "STATE", ">EXTRACTIONS", ">ROWS", ">SIZE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.query.to_string(),
            self.state.clone(),
            self.extractions.to_string(),
            self.rows.to_string(),
            output::size(self.size_bytes),
        ]
    }
}

impl Row for crate::ledger::Drift {
    const HEADINGS: &'static [&'static str] = &["QUERY", "COLUMN", "WHAT", "SITES", "PMS VERSIONS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.query.to_string(),
            self.column.clone(),
            self.reason.clone(),
            format!("{} of {}", self.sites.len(), self.of_sites),
            versions(&self.pms_versions),
        ]
    }
}

/// `all best-practice 1.12.1`, or each version with its number of sites.
fn versions(sites: &BTreeMap<String, u64>) -> String {
    match sites.keys().collect::<Vec<_>>().as_slice() {
        [only] => format!("all {only}"),
        _ => sites
            .iter()
            .map(|(version, sites)| format!("{version} ({sites})"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
