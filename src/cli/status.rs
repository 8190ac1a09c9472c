//! `status`: how the fleet stands, from the ledger alone.

use clap::Args;

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::Failure;

/// Show per query and state how many extractions there are
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
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
