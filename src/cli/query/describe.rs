//! `query describe`: a contract from the server's own description of the result.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde::Serialize;

use crate::catalog::describe::{Difference, Draft, compare, propose};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::{Failure, remark};
use crate::cli::site;
use crate::config::Config;
use crate::domain::{QueryId, SiteKey};

use super::described::{Described, described};
use super::selected;

/// Ask a site's server what a query returns; compare it with `[columns]`, or propose and write them
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["query", "file"])))]
pub(crate) struct Describe {
    /// The query, `observation` (its current version) or `observation@v1`
    #[arg(value_name = "NAME[@vN]")]
    query: Option<String>,
    /// A file instead, which need not have `[columns]` yet
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The active site whose server is asked; it runs nothing where the server can describe a result
    #[arg(long, value_name = "KEY")]
    site: SiteKey,
    /// Write the proposed `[columns]` into the file, if it has never run
    #[arg(long)]
    write: bool,
}

/// A proposed contract. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Proposed {
    file: PathBuf,
    columns: String,
    written: bool,
}

impl Describe {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let draft = self.draft(context, &config)?;
        let ledger = context.ledger(&config)?;
        let site = site::active(&ledger, &self.site)?;
        let described = described(context, &config, &site, &draft)?;
        if let Some(doubt) = described.doubt() {
            remark(doubt);
        }
        match draft.contract() {
            Some(contract) if !self.write => {
                let mut differences = compare(contract, &described.columns);
                described.weigh(&mut differences);
                self.differences(context, &draft, &described, &differences)
            }
            Some(_) if described.doubt().is_some() => Err(Failure::new(
                ExitCode::Contract,
                "nothing was written: a sample of rows is no ground to change a contract that is there",
            )
            .next("the same command without --write compares the two")),
            known => {
                let columns = propose(&described.columns, known)
                    .map_err(|error| Failure::new(ExitCode::Contract, error))?;
                let frozen = match draft.id() {
                    Some(id) => ledger
                        .frozen(&id)
                        .map_err(|error| Failure::new(ExitCode::Failed, error))?
                        .map(|_| id),
                    None => None,
                };
                self.proposal(context, &draft, columns, frozen)
            }
        }
    }

    fn draft(&self, context: &Context, config: &Config) -> Result<Draft, Failure> {
        let path = match &self.file {
            Some(path) => path.clone(),
            None => {
                let text = self.query.as_deref().expect("one of the two is required");
                selected(&context.catalog(config)?, text)?.file.clone()
            }
        };
        Draft::read(&path).map_err(|error| Failure::new(ExitCode::Contract, error))
    }

    fn differences(
        &self,
        context: &Context,
        draft: &Draft,
        described: &Described,
        differences: &[Difference],
    ) -> Result<(), Failure> {
        output::rows(context.format(), differences)?;
        let file = draft.path().display();
        let certain = differences.iter().filter(|it| it.certain).count();
        if certain > 0 {
            return Err(Failure::new(
                ExitCode::Contract,
                format!("{file}: [columns] and the server differ in {certain} places"),
            )
            .next("mend [columns] (--write does, in a file that has never run), or the statement, in the next version"));
        }
        remark(&match differences.len() {
            _ if described.doubt().is_some() => {
                format!("{file}: nothing in the sample contradicts [columns] for certain")
            }
            0 => format!(
                "{file}: [columns] are what the server of {} describes",
                self.site
            ),
            _ => format!(
                "{file}: the types agree; servers call more columns nullable than hold a null, so look at these"
            ),
        });
        Ok(())
    }

    /// Shows the proposed contract; writes it where that was asked for and does no harm.
    fn proposal(
        &self,
        context: &Context,
        draft: &Draft,
        columns: String,
        frozen: Option<QueryId>,
    ) -> Result<(), Failure> {
        let refused = match (self.write, frozen, draft.with_columns(&columns)) {
            (false, ..) => None,
            (true, Some(id), _) => Some(format!(
                "{id} has run, so its file is frozen; put the columns into its next version"
            )),
            (true, None, None) => Some(format!(
                "{} has no header; write `/*---`, the header's TOML and `---*/` before the statement",
                draft.path().display()
            )),
            (true, None, Some(text)) => {
                std::fs::write(draft.path(), text).map_err(|error| {
                    let path = draft.path().display();
                    Failure::new(
                        ExitCode::Failed,
                        format!("{path} cannot be written: {error}"),
                    )
                    .next("let this user write it, or paste what is printed without --write")
                })?;
                None
            }
        };
        let proposed = Proposed {
            file: draft.path().to_owned(),
            written: self.write && refused.is_none(),
            columns,
        };
        match context.format() {
            Format::Table => output::line(proposed.columns.trim_end())?,
            format => output::document(format, &proposed)?,
        }
        if let Some(refused) = refused {
            return Err(Failure::new(
                ExitCode::Contract,
                format!("nothing was written: {refused}"),
            ));
        }
        remark(
            "types are the server's; new classes and rules are proposals: check each against what the column holds",
        );
        Ok(())
    }
}

impl Row for Difference {
    const HEADINGS: &'static [&'static str] = &["COLUMN", "CERTAIN", "WHAT", "INSTEAD"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.column.clone(),
            if self.certain { "yes" } else { "no" }.to_owned(),
            self.what.clone(),
            self.instead.clone(),
        ]
    }
}
