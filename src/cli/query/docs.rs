//! `query docs`: the data dictionary, for people or programs.

use clap::{Args, ValueEnum};

use crate::catalog::dictionary::Dictionary;
use crate::cli::context::Context;
use crate::cli::output::{self, Format};
use crate::cli::report::Failure;

/// Print the data dictionary of all queries, made from their headers
#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// Its form; Markdown unless --output asks for JSON
    #[arg(long, value_enum)]
    format: Option<DocsFormat>,
}

/// A form of the dictionary.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DocsFormat {
    /// For people: a section for each current version.
    Markdown,
    /// For programs: every version.
    Json,
}

impl Docs {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let dictionary = Dictionary::of(&context.catalog(&context.config()?)?);
        match (self.format, context.format()) {
            (Some(DocsFormat::Markdown), _) | (None, Format::Table) => {
                output::line(dictionary.to_markdown().trim_end())
            }
            (Some(DocsFormat::Json), Format::Table) => output::document(Format::Json, &dictionary),
            (_, format) => output::document(format, &dictionary),
        }
    }
}
