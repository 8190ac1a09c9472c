//! `query`: the files of questions. One file per command; all but `describe` and `preview` need no network.

mod ask;
mod describe;
mod described;
mod diff;
mod docs;
mod lint;
mod list;
mod preview;
mod show;

use clap::Subcommand;

use crate::catalog::Catalog;
use crate::domain::Query as QueryFile;

use super::context::Context;
use super::exit_code::ExitCode;
use super::report::Failure;

/// The versioned SQL files
#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// List every query with its current version, mode, schedule and size of contract
    List,
    /// Check every query file; list all problems with file, line and what to write instead
    Lint,
    Show(show::Show),
    Diff(diff::Diff),
    Docs(docs::Docs),
    Describe(describe::Describe),
    Preview(preview::Preview),
}

impl Query {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List => list::run(context),
            Self::Lint => lint::run(context),
            Self::Show(show) => show.run(context),
            Self::Diff(diff) => diff.run(context),
            Self::Docs(docs) => docs.run(context),
            Self::Describe(describe) => describe.run(context),
            Self::Preview(preview) => preview.run(context),
        }
    }
}

/// The query that a person typed: `observation` (its current version) or `observation@v1`.
pub(super) fn selected<'c>(catalog: &'c Catalog, text: &str) -> Result<&'c QueryFile, Failure> {
    catalog.select(text).map_err(|error| {
        Failure::new(ExitCode::Usage, error)
            .next("halo-extract query list shows every query with its versions")
    })
}
