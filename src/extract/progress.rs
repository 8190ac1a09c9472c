//! What whoever watches the work is told: how an attempt goes, and how it ended.

use chrono::{DateTime, Utc};

use crate::domain::{AttemptNumber, Extraction, ObjectRecord, Proof, Step};
use crate::ledger::{AttemptCost, Claim};

use super::error::AttemptError;

/// A published object and what it took.
#[derive(Debug, Clone)]
pub struct Published {
    /// The object.
    pub object: ObjectRecord,
    /// What proves it complete.
    pub proof: Proof,
    /// What it cost.
    pub cost: AttemptCost,
}

/// What whoever watches is told of an extraction.
#[derive(Debug)]
pub enum Progress<'a> {
    /// An attempt began.
    Started(AttemptNumber),
    /// It came to a step.
    Step(Step),
    /// Pages that went into conversion.
    Pages {
        /// So many until now.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// The attempt ended.
    Ended(&'a Ended),
}

/// Whoever watches. Called from worker tasks; must not block.
pub type Observer = dyn Fn(&Extraction, Progress<'_>) + Send + Sync;

/// How the last attempt of a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Published and recorded.
    Published(Published),
    /// Failed; it is tried again within this run.
    Again(AttemptError),
    /// Failed; it waits in the ledger for a later time.
    Later(AttemptError, DateTime<Utc>),
    /// Took the practice too long, and was cut into so many shorter windows, which wait in its place.
    Cut(AttemptError, usize),
    /// Failed for good, until somebody asks again.
    Failed(AttemptError),
    /// Stopped by the operator; goes on where it was when run again.
    Stopped,
    /// Another worker has it.
    Elsewhere,
}

/// One extraction of a run and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Which.
    pub extraction: Extraction,
    /// How.
    pub ended: Ended,
}

/// One line for each attempt; whoever asked for the run is told the whole error and handles it.
pub(super) fn log(claim: &Claim, ended: &Ended) {
    let (extraction, attempt) = (&claim.extraction, claim.attempt.0);
    let failed = |error: &AttemptError, fate: &str| {
        tracing::info!(%extraction, attempt, class = %error.class(), %error, "{fate}");
    };
    match ended {
        Ended::Published(published) => tracing::info!(
            %extraction,
            attempt,
            rows = published.object.rows,
            size_bytes = published.object.size_bytes,
            duration_ms = u64::try_from(published.cost.elapsed.as_millis()).unwrap_or(u64::MAX),
            "published"
        ),
        Ended::Again(error) => failed(error, "failed, tried again"),
        Ended::Later(error, _) => failed(error, "failed, waits"),
        Ended::Cut(error, _) => failed(error, "took too long, cut"),
        Ended::Failed(error) => failed(error, "failed"),
        Ended::Stopped => tracing::info!(%extraction, attempt, "stopped"),
        Ended::Elsewhere => tracing::info!(%extraction, attempt, "another worker has it"),
    }
}
