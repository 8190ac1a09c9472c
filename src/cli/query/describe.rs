//! `query describe`: a contract from the server's own description of the result.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde::{Deserialize, Serialize};

use crate::catalog::describe::{DescribedColumn, Difference, Draft, compare, propose};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::{Failure, remark};
use crate::cli::site;
use crate::config::Config;
use crate::domain::{QueryId, Site, SiteKey};
use crate::remote::Statement;

use super::ask::ask;
use super::selected;

/// Every name that a statement may use; describing takes no harm from one that it does not.
const PARAMETERS: &str = "@window_start datetime, @window_end datetime, @snapshot_date date";

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
    /// The active site whose server is asked; it runs nothing, it only reads the statement
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

/// One row of the server's answer. Bits come as truth values or as numbers.
#[derive(Deserialize)]
struct DescribedRow {
    name: Option<String>,
    system_type_name: Option<String>,
    is_nullable: serde_json::Value,
    #[serde(default)]
    is_hidden: serde_json::Value,
}

impl Describe {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let draft = self.draft(context, &config)?;
        let ledger = context.ledger(&config)?;
        let site = site::active(&ledger, &self.site)?;
        let described = described(context, &config, &site, &draft)?;
        match draft.contract() {
            Some(contract) if !self.write => {
                self.differences(context, &draft, &compare(contract, &described))
            }
            known => {
                let columns = propose(&described, known)
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

/// What the site's server says that the statement returns.
fn described(
    context: &Context,
    config: &Config,
    site: &Site,
    draft: &Draft,
) -> Result<Vec<DescribedColumn>, Failure> {
    let cannot = |failure: Failure| {
        if failure.code != ExitCode::Contract {
            return failure;
        }
        failure.next(
            "mend the statement if the message says so; otherwise this server cannot describe it (it is older than SQL Server \
             2012, or the statement leaves types open): write [columns] by hand",
        )
    };
    // A literal and no parameter: an NVarChar parameter ends after 4,000 characters.
    let statement = Statement {
        text: format!(
            "EXEC sp_describe_first_result_set @tsql = {}, @params = {}",
            literal(draft.statement()),
            literal(PARAMETERS)
        ),
        catalogue: draft.catalogue(),
        parameters: Vec::new(),
        max_time_in_queue: config.halo.max_time_in_queue,
    };
    let answer = ask(context, config, site, &statement).map_err(cannot)?;
    let rows: Vec<DescribedRow> =
        serde_json::from_slice(answer.body.as_ref()).map_err(|error| {
            Failure::new(
                ExitCode::Unavailable,
                format!("the server's description has another form than SQL Server's: {error}"),
            )
        })?;
    if rows.is_empty() {
        return Err(cannot(Failure::new(
            ExitCode::Contract,
            "the server describes no result",
        )));
    }
    Ok(rows
        .into_iter()
        .filter(|row| !is_set(&row.is_hidden))
        .map(|row| DescribedColumn {
            nullable: is_set(&row.is_nullable),
            name: row.name,
            type_name: row.system_type_name.unwrap_or_default(),
        })
        .collect())
}

/// A text as T-SQL writes it.
fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

fn is_set(bit: &serde_json::Value) -> bool {
    bit.as_bool().unwrap_or(bit.as_i64() == Some(1))
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
