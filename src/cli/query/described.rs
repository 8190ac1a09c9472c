//! What a site's server says that a statement returns, by the best way that it allows.
//!
//! First its procedure, which reads the statement and runs nothing; where that is refused, the function of the same
//! purpose, which some servers grant when they deny the procedure; where neither is there, some rows, whose types are
//! guessed.

use chrono::{Days, Utc};
use serde::Deserialize;

use crate::catalog::describe::{DescribedColumn, Difference, Draft};
use crate::catalog::{limited, sampled};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::report::Failure;
use crate::config::Config;
use crate::domain::{Site, Window};
use crate::extract::parameters;
use crate::remote::Statement;

use super::ask::ask;

const PROCEDURE: &str = "sp_describe_first_result_set";
const FUNCTION: &str = "dm_exec_describe_first_result_set";

/// Every name that a statement may use; describing takes no harm from one that it does not.
const PARAMETERS: &str = "@window_start datetime, @window_end datetime, @snapshot_date date";

/// How many rows are looked at where the server describes nothing, of the last days.
const SAMPLE_ROWS: u32 = 100;
const SAMPLE_DAYS: Days = Days::new(30);

/// The columns of a result.
pub(super) struct Described {
    /// In order.
    pub(super) columns: Vec<DescribedColumn>,
    is_sample: bool,
}

/// One row of the server's answer. Bits come as truth values or as numbers.
#[derive(Deserialize)]
struct DescribedRow {
    name: Option<String>,
    system_type_name: Option<String>,
    #[serde(default)]
    is_nullable: serde_json::Value,
    #[serde(default)]
    is_hidden: serde_json::Value,
    /// The function tells a fault of the statement in the row that it could not describe.
    error_message: Option<String>,
}

impl Described {
    /// What a person must know of it before relying on it.
    pub(super) fn doubt(&self) -> Option<&'static str> {
        self.is_sample.then_some(
            "this server does not describe results, so the types are guessed from at most 100 rows of the last 30 days: \
             check each against the schema; a column that was null in all of them is missing",
        )
    }

    /// A sample proves little: what it does not show may be there, and its lengths are guesses.
    pub(super) fn weigh(&self, differences: &mut Vec<Difference>) {
        if !self.is_sample {
            return;
        }
        let seen = |name: &str| {
            let mut columns = self.columns.iter();
            columns.any(|column| column.name.as_deref() == Some(name))
        };
        differences.retain(|difference| seen(&difference.column));
        for difference in differences {
            difference.certain = false;
        }
    }
}

/// Asks the site's server what the statement returns.
pub(super) fn described(
    context: &Context,
    config: &Config,
    site: &Site,
    draft: &Draft,
) -> Result<Described, Failure> {
    let ways = [
        (PROCEDURE, by_procedure(draft.statement())),
        (FUNCTION, by_function(draft.statement())),
    ];
    for (name, text) in ways {
        // Literals and no parameters: an NVarChar parameter ends after 4,000 characters.
        let statement = Statement {
            text,
            catalogue: draft.catalogue(),
            parameters: Vec::new(),
            max_time_in_queue: config.halo.max_time_in_queue,
        };
        match ask(context, config, site, &statement) {
            Ok(answer) => {
                let columns = columns(answer.body.as_ref())?;
                return Ok(Described {
                    columns,
                    is_sample: false,
                });
            }
            // The way itself is refused or not there; any other fault is the statement's or the site's.
            Err(failure) if failure.what().contains(name) => {}
            Err(failure) => return Err(advised(failure)),
        }
    }
    sample(context, config, site, draft)
}

fn by_procedure(statement: &str) -> String {
    format!(
        "EXEC {PROCEDURE} @tsql = {}, @params = {}",
        literal(statement),
        literal(PARAMETERS)
    )
}

fn by_function(statement: &str) -> String {
    format!(
        "SELECT d.name, d.system_type_name, d.is_nullable, d.is_hidden, d.error_message \
         FROM sys.{FUNCTION}({}, {}, 0) AS d ORDER BY d.column_ordinal",
        literal(statement),
        literal(PARAMETERS)
    )
}

fn columns(body: &[u8]) -> Result<Vec<DescribedColumn>, Failure> {
    let rows: Vec<DescribedRow> = serde_json::from_slice(body).map_err(|error| {
        Failure::new(
            ExitCode::Unavailable,
            format!("the server's description has another form than SQL Server's: {error}"),
        )
    })?;
    if let Some(message) = rows.iter().find_map(|row| row.error_message.clone()) {
        return Err(advised(Failure::new(ExitCode::Contract, message)));
    }
    if rows.is_empty() {
        let nothing = "the server describes no result";
        return Err(advised(Failure::new(ExitCode::Contract, nothing)));
    }
    let shown = rows.into_iter().filter(|row| !is_set(&row.is_hidden));
    Ok(shown
        .map(|row| DescribedColumn {
            nullable: is_set(&row.is_nullable),
            name: row.name,
            type_name: row.system_type_name.unwrap_or_default(),
        })
        .collect())
}

/// Looks at some rows of the result instead.
fn sample(
    context: &Context,
    config: &Config,
    site: &Site,
    draft: &Draft,
) -> Result<Described, Failure> {
    let cannot = |why: &str| advised(Failure::new(ExitCode::Contract, why.to_owned()));
    let text = limited(draft.statement(), SAMPLE_ROWS).ok_or_else(|| {
        cannot("the server describes no results, and the statement limits its rows itself, so none were looked at")
    })?;
    let today = Utc::now().with_timezone(&site.time_zone).date_naive();
    let window =
        Window::new(today - SAMPLE_DAYS, today + Days::new(1)).expect("thirty days are not empty");
    let statement = Statement {
        parameters: parameters(&text, window),
        text,
        catalogue: draft.catalogue(),
        max_time_in_queue: config.halo.max_time_in_queue,
    };
    let answer = ask(context, config, site, &statement).map_err(advised)?;
    let columns = sampled(answer.body.as_ref())
        .filter(|columns| !columns.is_empty())
        .ok_or_else(|| {
            cannot("the server describes no results, and the statement has no rows in the last 30 days to look at")
        })?;
    Ok(Described {
        columns,
        is_sample: true,
    })
}

fn advised(failure: Failure) -> Failure {
    if failure.code != ExitCode::Contract {
        return failure;
    }
    failure.next(
        "mend the statement if the message says so; otherwise this server cannot describe it: write [columns] by hand",
    )
}

/// A text as T-SQL writes it.
fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

fn is_set(bit: &serde_json::Value) -> bool {
    bit.as_bool().unwrap_or(bit.as_i64() == Some(1))
}
