//! How extractions ended, for people and for scripts: the rows of `run`, the reasons, the exit code.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{Extraction, Planned, Proof, VariantName};
use crate::extract::{AttemptError, Ended, Finished};
use crate::ledger::{ExtractionRow, Ledger};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::{Failure, remark};

/// All well, all ill (then the code of the first cause), or partly.
pub(crate) fn exit_code(finished: &[Finished]) -> ExitCode {
    let mut bad = finished
        .iter()
        .filter_map(|finished| match &finished.ended {
            Ended::Published(_) | Ended::Elsewhere | Ended::Cut(..) => None,
            Ended::Failed(error) | Ended::Again(error) | Ended::Later(error, _) => {
                Some(ExitCode::of_failure(error.class()))
            }
            Ended::Stopped => Some(ExitCode::Interrupted),
        });
    let Some(first) = bad.next() else {
        return ExitCode::Ok;
    };
    if bad.count() + 1 < finished.len() {
        ExitCode::Partly
    } else {
        first
    }
}

/// Shows how each extraction stands, and on stderr why those failed that did.
pub(crate) fn show(
    context: &Context,
    ledger: &Ledger,
    planned: &[Planned],
    finished: &[Finished],
) -> Result<(), Failure> {
    let ends: BTreeMap<&Extraction, &Ended> = finished
        .iter()
        .map(|finished| (&finished.extraction, &finished.ended))
        .collect();
    let mut rows = Vec::with_capacity(planned.len());
    for item in planned {
        let row = ledger
            .extraction(&item.extraction)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let elapsed = match ends.get(&item.extraction) {
            Some(Ended::Published(published)) => Some(published.cost.elapsed.as_secs_f64()),
            _ => None,
        };
        rows.extend(row.map(|row| Outcome::of(&row, elapsed)));
    }
    output::rows(context.format(), &rows)?;
    explain(finished);
    Ok(())
}

/// Says on stderr why extractions were not published, and what to do. Where the queries of a site are spent, it says so
/// once, because all that is left of it waits for the same day.
pub(crate) fn explain(finished: &[Finished]) {
    let mut spent = BTreeSet::new();
    for item in finished {
        match &item.ended {
            Ended::Later(error @ AttemptError::BudgetSpent { site, .. }, until) => {
                if spent.insert(site) {
                    let fate = format!("what is left {}", waits(*until));
                    explain_error(&format!("site {site}: {fate}"), error);
                }
            }
            _ => explain_one(item),
        }
    }
}

fn waits(until: DateTime<Utc>) -> String {
    format!("waits until {}", until.format("%Y-%m-%d %H:%M:%S UTC"))
}

fn explain_one(finished: &Finished) {
    let (error, fate) = match &finished.ended {
        Ended::Failed(error) | Ended::Again(error) => (error, "failed".to_owned()),
        Ended::Later(error, until) => (error, waits(*until)),
        Ended::Stopped => {
            return remark(&format!(
                "{}: stopped; the same command goes on with it",
                finished.extraction
            ));
        }
        Ended::Cut(error, parts) => (
            error,
            format!("took the practice too long, cut into {parts} shorter windows"),
        ),
        Ended::Published(_) | Ended::Elsewhere => return,
    };
    explain_error(&format!("{}: {fate}", finished.extraction), error);
}

fn explain_error(subject: &str, error: &AttemptError) {
    let mut text = format!("\n{subject} ({})\n  what: {error}", error.class());
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("\n  caused by: {source}"));
        cause = source.source();
    }
    if let Some(why) = error.why() {
        text.push_str(&format!("\n  why: {why}"));
    }
    if let Some(next) = error.next() {
        text.push_str(&format!("\n  next: {next}"));
    }
    remark(&text);
}

/// One line of `run`. Part of the documented JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    site: String,
    query: String,
    variant: Option<VariantName>,
    window: String,
    state: String,
    rows: Option<u64>,
    size_bytes: Option<u64>,
    seconds: Option<f64>,
    attempts: u32,
    proof: Option<Proof>,
    withheld: Option<u64>,
    path: Option<String>,
}

impl Outcome {
    fn of(row: &ExtractionRow, seconds: Option<f64>) -> Self {
        let Extraction {
            site,
            query,
            window,
        } = &row.extraction;
        Self {
            site: site.to_string(),
            query: query.to_string(),
            variant: row.variant.clone(),
            window: window.to_string(),
            state: row.state.to_string(),
            rows: row.object.as_ref().map(|object| object.rows),
            size_bytes: row.object.as_ref().map(|object| object.size_bytes),
            seconds,
            attempts: row.attempts,
            proof: row.proof,
            withheld: row.proof.and_then(|proof| proof.withheld),
            path: row.object.as_ref().map(|object| object.path.clone()),
        }
    }
}

impl Row for Outcome {
    const HEADINGS: &'static [&'static str] = &[
        "SITE", "QUERY", "WINDOW", "STATE", ">ROWS", ">SIZE", ">SECONDS", "PROOF",
    ];

    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.site.clone(),
            match &self.variant {
                Some(variant) => format!("{} ({variant})", self.query),
                None => self.query.clone(),
            },
            self.window.clone(),
            self.state.clone(),
            self.rows.map_or_else(dash, |rows| rows.to_string()),
            self.size_bytes.map_or_else(dash, output::size),
            self.seconds
                .map_or_else(dash, |seconds| format!("{seconds:.2}")),
            self.proof.map_or_else(dash, |proof| {
                format!(
                    "{} = {} = {} = {}",
                    proof.declared, proof.pages, proof.batches, proof.footer
                )
            }),
        ]
    }
}
