//! `output reconcile`: whether everything that the practices have has arrived.

use clap::Args;
use serde::Serialize;

use super::{failed, holdings};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::{Failure, remark};
use crate::cli::site;
use crate::domain::SiteKey;
use crate::lake::{self, Loss, Reconciled};

/// Compare the practices' own nightly counts with what has arrived; lists rows that are missing or have vanished
///
/// The counts are those of the query `control`: the newest night of each site, held against the night before and
/// against the objects.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// Only this site
    #[arg(long, value_name = "KEY")]
    site: Option<SiteKey>,
}

impl Reconcile {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let holdings = holdings(context, &config)?;
        if let Some(key) = &self.site {
            site::known(&holdings.ledger, key)?;
        }
        let found = context
            .block_on(holdings.reconcile(&catalog, self.site.as_ref()))?
            .map_err(|error| {
                failed(error)
                    .next("see first whether the objects are whole: halo-extract output verify")
            })?;
        let rows: Vec<Line> = found.findings.iter().map(Line::of).collect();
        if !rows.is_empty() || context.format() != Format::Table {
            output::rows(context.format(), &rows)?;
        }
        if context.format() == Format::Table {
            rows.iter().for_each(Line::explain);
        }
        remark(&summary(&found));
        Ok(match (rows.is_empty(), found.uncounted.is_empty()) {
            (false, _) => ExitCode::Failed,
            (true, false) => ExitCode::Partly,
            (true, true) => ExitCode::Ok,
        })
    }
}

fn summary(found: &Reconciled) -> String {
    let verdict = match (found.findings.len(), found.sites) {
        (0, 0) => "nothing could be compared".to_owned(),
        (0, _) => "nothing is missing".to_owned(),
        (findings, _) => format!("{findings} findings"),
    };
    let uncounted = match found.uncounted.as_slice() {
        [] => String::new(),
        sites => format!(
            "\nnot counted yet, because the query control has no object of them: {}\nnext: halo-extract run --query control",
            sites
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    format!(
        "compared {} rows of {} sites: {verdict}{uncounted}",
        found.due, found.sites
    )
}

/// One line of `output reconcile`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Line {
    site: String,
    night: String,
    query: Option<String>,
    tables: Vec<String>,
    loss: &'static str,
    what: String,
    next: String,
}

impl Line {
    fn of(finding: &lake::Finding) -> Self {
        Self {
            site: finding.site.to_string(),
            night: finding.night.to_string(),
            query: finding.query.as_ref().map(ToString::to_string),
            tables: finding.tables.clone(),
            loss: finding.loss.kind(),
            what: finding.loss.to_string(),
            next: next(finding),
        }
    }

    fn explain(&self) {
        remark(&format!(
            "\n{}: {}\n  next: {}",
            self.about(),
            self.what,
            self.next
        ));
    }

    fn about(&self) -> String {
        let tables = self.tables.join(", ");
        match &self.query {
            Some(query) => format!("{} {query} ({tables})", self.site),
            None => format!("{} {tables}", self.site),
        }
    }
}

/// Before the records of any practice.
const LONG_AGO: &str = "1990-01-01";
/// Longer than any practice's history, in days: one window, which is cut where it takes a practice too long.
const ALL_DAYS: u32 = 14_000;

fn next(finding: &lake::Finding) -> String {
    let (site, night) = (&finding.site, finding.night);
    match (&finding.loss, &finding.query) {
        (Loss::NotArrived { since, .. }, Some(query)) => format!(
            "what was written before that is asked for by a backfill: halo-extract backfill plan --site {site} --query {query} \
             --from {LONG_AGO} --to {since} --max-days {ALL_DAYS}; if that is done, the rows are of patients who opted in again, or changed without a \
             trace: halo-extract run --site {site} --query {query} --from {LONG_AGO} --to {night} --again"
        ),
        (Loss::Behind { .. }, _) => format!(
            "see why its nights do not come, and compare again afterwards: halo-extract why {site}"
        ),
        _ => format!(
            "ask the practice whether an older copy of its database was restored, or its server replaced; keep the objects, \
             and hold it until that is known: halo-extract site hold {site} --reason TEXT"
        ),
    }
}

impl Row for Line {
    const HEADINGS: &'static [&'static str] = &["SITE", "NIGHT", "QUERY", "TABLES", "WHAT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.night.clone(),
            self.query.clone().unwrap_or_else(|| "-".to_owned()),
            self.tables.join(", "),
            self.what.clone(),
        ]
    }
}
