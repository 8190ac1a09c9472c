//! `query`: the files of questions.

use clap::Subcommand;
use serde::Serialize;

use crate::domain::{Mode, Query as QueryFile};

use super::context::Context;
use super::output::{self, Row};
use super::report::{Failure, remark};

/// The versioned SQL files
#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// List every query with its current version, mode, schedule and size of contract
    List,
    /// Check every query file; list all problems with file, line and what to write instead
    Lint,
}

/// One line of `query list`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Listed {
    query: String,
    version: u32,
    current: bool,
    mode: &'static str,
    cron: Option<String>,
    columns: usize,
    measures: Vec<String>,
    fingerprint: String,
    purpose: String,
}

impl Query {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        match self {
            Self::List => {
                let listed: Vec<Listed> = catalog
                    .queries()
                    .map(|query| {
                        Listed::of(
                            query,
                            catalog
                                .current(&query.id.name)
                                .is_some_and(|it| it.id == query.id),
                        )
                    })
                    .collect();
                output::rows(context.format(), &listed)
            }
            Self::Lint => {
                remark(&format!(
                    "{} query versions in {}: no problems",
                    catalog.queries().count(),
                    config.queries.display()
                ));
                Ok(())
            }
        }
    }
}

impl Listed {
    fn of(query: &QueryFile, current: bool) -> Self {
        Self {
            query: query.id.name.to_string(),
            version: query.id.version.number(),
            current,
            mode: match query.mode {
                Mode::Incremental { .. } => "incremental",
                Mode::Snapshot => "snapshot",
            },
            cron: query.cron.clone(),
            columns: query.contract.columns.len(),
            measures: query.measures.clone(),
            fingerprint: query.fingerprint.to_string(),
            purpose: query.purpose.clone(),
        }
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] =
        &["QUERY", ">VERSION", "MODE", "CRON", ">COLUMNS", "MEASURES"];

    fn cells(&self) -> Vec<String> {
        let star = if self.current { "" } else { " (older)" };
        vec![
            format!("{}{star}", self.query),
            format!("v{}", self.version),
            self.mode.to_owned(),
            self.cron.clone().unwrap_or_else(|| "-".to_owned()),
            self.columns.to_string(),
            self.measures.join(", "),
        ]
    }
}
