//! An explanation: one form for sites and extractions, for people and for programs.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ledger::AttemptRow;

use crate::cli::output;

/// How something stands, and why. Part of the documented JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Explanation {
    /// A site's key or an extraction.
    pub(super) about: String,
    /// How it stands.
    pub(super) state: String,
    /// Since when.
    pub(super) since: Option<DateTime<Utc>>,
    /// Why.
    pub(super) reason: String,
    /// Who can mend it; nobody where nothing is to be mended.
    pub(super) who: Option<String>,
    /// The next command or click.
    pub(super) next: Option<String>,
    /// What else belongs to it: name and value.
    pub(super) facts: Vec<Fact>,
    /// The attempts at an extraction, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attempts: Vec<AttemptRow>,
    /// The newest window of each query of a site.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) newest: Vec<Newest>,
    /// What is not published of a site, by state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unfinished: Vec<Waits>,
}

/// One thing more to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fact {
    /// Its name: `budget`.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) value: String,
}

/// The newest window of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Newest {
    pub(super) query: String,
    pub(super) window: String,
    pub(super) state: String,
    pub(super) since: DateTime<Utc>,
    pub(super) rows: Option<u64>,
}

/// Extractions in one state that are not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Waits {
    pub(super) state: String,
    pub(super) extractions: u64,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) who: Option<String>,
    pub(super) next: Option<String>,
}

/// An instant as people read it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.state)?;
        if let Some(since) = self.since {
            write!(f, " since {}", instant(since))?;
        }
        write!(f, "\n  why: {}", self.reason)?;
        if let Some(who) = &self.who {
            write!(f, "\n  who can mend it: {who}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next: {next}")?;
        }
        for fact in &self.facts {
            write!(f, "\n  {}: {}", fact.name, fact.value)?;
        }
        let lists = [self.attempts(), self.newest(), self.unfinished()];
        lists
            .iter()
            .flatten()
            .try_for_each(|list| write!(f, "\n\n{list}"))
    }
}

impl Explanation {
    fn attempts(&self) -> Option<String> {
        let rows = self.attempts.iter().map(|attempt| {
            let outcome = attempt
                .outcome
                .as_ref()
                .map_or("open".to_owned(), ToString::to_string);
            vec![
                attempt.number.0.to_string(),
                instant(attempt.started_at),
                match attempt.failure {
                    Some(class) => format!("{outcome} ({class})"),
                    None => outcome,
                },
                attempt.message.clone().unwrap_or_default(),
            ]
        });
        let headings = [">ATTEMPT", "BEGUN", "OUTCOME", "MESSAGE"];
        (!self.attempts.is_empty()).then(|| output::aligned(&headings, rows))
    }

    fn newest(&self) -> Option<String> {
        let rows = self.newest.iter().map(|newest| {
            vec![
                newest.query.clone(),
                newest.window.clone(),
                newest.state.clone(),
                instant(newest.since),
                newest.rows.map_or("-".to_owned(), |rows| rows.to_string()),
            ]
        });
        let headings = ["QUERY", "NEWEST WINDOW", "STATE", "SINCE", ">ROWS"];
        (!self.newest.is_empty()).then(|| output::aligned(&headings, rows))
    }

    fn unfinished(&self) -> Option<String> {
        let rows = self.unfinished.iter().map(|waits| {
            vec![
                waits.state.clone(),
                waits.extractions.to_string(),
                waits.not_before.map_or("-".to_owned(), instant),
                waits.who.clone().unwrap_or_else(|| "-".to_owned()),
                waits.reason.clone(),
            ]
        });
        let headings = ["NOT PUBLISHED", ">EXTRACTIONS", "NOT BEFORE", "WHO", "WHY"];
        (!self.unfinished.is_empty()).then(|| output::aligned(&headings, rows))
    }
}
