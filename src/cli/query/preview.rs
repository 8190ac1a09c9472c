//! `query preview`: the first rows of a query at one site, with identifiers masked.
//!
//! Invariant: what is shown has passed the privacy rules, and no value of an identifier column is among it,
//! not even of one that its rule keeps. Rows are shown and nowhere kept.

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{Days, NaiveDate, Utc};
use clap::Args;

use crate::catalog::limited;
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format};
use crate::cli::report::{Failure, remark};
use crate::cli::site;
use crate::config::Config;
use crate::convert::{Converter, DEFAULT_BATCH_ROWS};
use crate::domain::{
    Class, Contract, Mode, PageNumber, Query as QueryFile, Rule, Site, SiteKey, Window,
};
use crate::extract::statement;
use crate::ledger::Ledger;
use crate::privacy::{Deidentifier, PseudonymKey};
use crate::remote::{ImmediateResult, Statement};

use super::ask::ask;
use super::selected;

/// What stands where a value is not shown.
const MASK: &str = "***";

/// Days that an incremental query looks at unless asked otherwise.
const DAYS: Days = Days::new(30);

/// Show the first rows of a query at a site, de-identified as in its objects
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// The query, `observation` (its current version) or `observation@v1`
    #[arg(value_name = "NAME[@vN]")]
    query: String,
    /// The active site
    #[arg(long, value_name = "KEY")]
    site: SiteKey,
    /// At most so many rows
    #[arg(long, value_name = "ROWS", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// First day of the window of an incremental query; 30 days ago if absent
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<NaiveDate>,
    /// First day after the window
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<NaiveDate>,
}

impl Preview {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let query = selected(&catalog, &self.query)?;
        let ledger = context.ledger(&config)?;
        let site = site::active(&ledger, &self.site)?;
        let window = self.window(query, &site)?;
        let statement = self.statement(&config, &ledger, query, window)?;
        let answer = ask(context, &config, &site, &statement)?;
        let key = key(context, &config, &ledger)?;
        let contract = masked(&query.contract, key.is_some());
        let batch = rows(query, &contract, &answer, key.as_ref(), &site, window)?;
        show(context.format(), &query.contract, batch.as_ref())?;
        remark(&format!(
            "{} of {} {}: {} rows at most; {MASK} stands for what is not shown",
            query.id, site.key, window, self.limit
        ));
        Ok(())
    }

    fn window(&self, query: &QueryFile, site: &Site) -> Result<Window, Failure> {
        let today = Utc::now().with_timezone(&site.time_zone).date_naive();
        let (from, to) = match (self.from, self.to, query.mode) {
            (Some(from), Some(to), _) => (from, to),
            (_, _, Mode::Snapshot) => return Ok(Window::day(today)),
            _ => (today - DAYS, today + Days::new(1)),
        };
        Window::new(from, to).ok_or_else(|| {
            Failure::new(
                ExitCode::Usage,
                format!("the window from {from} to {to} is empty"),
            )
            .next("--to is the first day after the window: one day is --from 2026-11-18 --to 2026-11-19")
        })
    }

    /// The statement that the site is asked, limited by the server: rows that are not shown do not leave the practice.
    fn statement(
        &self,
        config: &Config,
        ledger: &Ledger,
        query: &QueryFile,
        window: Window,
    ) -> Result<Statement, Failure> {
        let choice = ledger
            .variant_choice(&self.site, &query.id)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let variant = choice.map(|choice| choice.variant);
        let sql = query.statement(variant.as_ref()).unwrap_or(&query.sql);
        let text = limited(sql, self.limit).ok_or_else(|| {
            Failure::new(
                ExitCode::Contract,
                format!(
                    "{} limits its rows itself (TOP, OFFSET), so it cannot be limited again",
                    query.id
                ),
            )
            .next(format!(
                "see its rows in an object: halo-extract run --query {} --site {}",
                query.id, self.site
            ))
        })?;
        Ok(Statement {
            text,
            ..statement(query, window, config.halo.max_time_in_queue)
        })
    }
}

/// The key that the objects are written with; without it pseudonyms are masked.
fn key(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
) -> Result<Option<PseudonymKey>, Failure> {
    let recorded = ledger
        .pseudonym_key()
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    let key = context.pseudonym_key(config).ok();
    Ok(key.filter(|key| recorded.is_none_or(|recorded| recorded.id == key.id())))
}

/// The contract with what must not be shown dropped: identifiers that would be kept, and pseudonyms that
/// have no key.
fn masked(contract: &Contract, has_key: bool) -> Contract {
    let mut contract = contract.clone();
    for column in &mut contract.columns {
        let is_pseudonym = matches!(column.rule, Some(Rule::Pseudonym { .. }));
        let is_kept = matches!(column.rule, None | Some(Rule::Keep));
        if (is_pseudonym && !has_key) || (is_kept && column.class == Class::Identifier) {
            column.rule = Some(Rule::Drop);
        }
    }
    contract
}

/// The rows of the answer, de-identified; `None` if there are none.
fn rows(
    query: &QueryFile,
    contract: &Contract,
    answer: &ImmediateResult,
    key: Option<&PseudonymKey>,
    site: &Site,
    window: Window,
) -> Result<Option<RecordBatch>, Failure> {
    let refused =
        |error: Box<dyn std::error::Error + Send + Sync>| Failure::new(ExitCode::Contract, error);
    let mut converter = Converter::new(&query.id, contract, DEFAULT_BATCH_ROWS);
    converter
        .push_page(PageNumber(1), answer.body.as_ref())
        .map_err(|error| refused(error.into()))?;
    let mut deidentifier =
        Deidentifier::new(contract, &converter.schema(), key, &site.key, window.end())
            .map_err(|error| refused(error.into()))?;
    Ok(converter.finish().map(|batch| deidentifier.apply(&batch)))
}

/// Shows the contract's columns; those that the batch does not have are masked.
fn show(format: Format, contract: &Contract, batch: Option<&RecordBatch>) -> Result<(), Failure> {
    let names: Vec<&str> = contract
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let options = FormatOptions::default();
    let mut formatters = Vec::with_capacity(names.len());
    for name in &names {
        let column = batch.and_then(|batch| batch.column_by_name(name));
        let formatter = column
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .transpose()
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        formatters.push((column, formatter));
    }
    let rows = (0..batch.map_or(0, RecordBatch::num_rows)).map(|row| {
        let cells = formatters.iter().map(|(column, formatter)| {
            let is_null = column.is_some_and(|column| column.is_null(row));
            match formatter {
                _ if is_null => None,
                Some(formatter) => Some(formatter.value(row).to_string()),
                None => Some(MASK.to_owned()),
            }
        });
        cells.collect::<Vec<Option<String>>>()
    });
    if format == Format::Table {
        let dashed = rows.map(|cells| {
            let dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
            cells.into_iter().map(dash).collect()
        });
        return output::line(&output::aligned(&names, dashed));
    }
    let objects: Vec<serde_json::Map<String, serde_json::Value>> = rows
        .map(|cells| {
            let named = names.iter().zip(cells);
            named
                .map(|(name, cell)| ((*name).to_owned(), cell.into()))
                .collect()
        })
        .collect();
    output::documents(format, &objects)
}
