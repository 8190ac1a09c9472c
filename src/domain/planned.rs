//! Planned work: an extraction that is due, with the reason, its lane and its earliest time.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Extraction, QueryId, SiteKey, stored_text};

stored_text! {
    /// Who asked for an extraction, and so who yields to whom when workers are short.
    pub enum Lane {
        /// An operator waits for it.
        Manual = "manual",
        /// The schedule wants it tonight.
        Nightly = "nightly",
        /// History that is rebuilt when there is room.
        Backfill = "backfill",
    }
}

stored_text! {
    /// Why an extraction is due.
    pub enum Due {
        /// An operator named it.
        Requested = "requested",
        /// Its hour has come.
        Scheduled = "scheduled",
        /// Its hour passed while nobody ran it.
        CatchUp = "catch-up",
        /// A backfill found no object for it.
        Missing = "missing",
        /// A backfill found that it failed.
        Failed = "failed",
        /// A backfill found an object of an older version only.
        StaleVersion = "stale-version",
        /// A backfill was told to extract it again although its object stands.
        AskedAgain = "asked-again",
        /// It was never asked: its object holds the rows of the days of a month, merged.
        Compacted = "compacted",
        /// The ledger was lost, and its object told that it had been extracted.
        Recovered = "recovered",
    }
}

/// An extraction that a plan wants, as the ledger takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What to extract.
    pub extraction: Extraction,
    /// Who asked.
    pub lane: Lane,
    /// Higher goes first within a lane; 0 unless somebody said otherwise.
    pub priority: i32,
    /// Why it is due.
    pub due: Due,
    /// It does not start before this instant.
    pub not_before: DateTime<Utc>,
}

/// What a night asks of a query at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tonight {
    /// At this site.
    pub site: SiteKey,
    /// This query version.
    pub query: QueryId,
    /// The first day that is asked for, unless it was covered meanwhile.
    pub from: NaiveDate,
    /// The first day after this night's windows.
    pub to: NaiveDate,
    /// What is to be extracted.
    pub planned: Vec<Planned>,
    /// Extractions that wait and are part of those now.
    pub superseded: Vec<Extraction>,
}
