//! A call to the remote API that failed: its cause, and what is known of it.
//!
//! What the API itself says is passed on only after [`discreet`](super::failure::discreet) has taken out
//! what may be a row value.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{FailureClass, Mender, Retry};

use super::cause::{Cause, advice};
use super::link::known_link_faults;

/// A call to the remote API that failed, after all its tries.
///
/// `Display` says what happened as one lower-case fragment; [`why`](Self::why) and
/// [`next_step`](Self::next_step) say the rest. Holds no secret, no address line and no row value.
#[derive(Clone)]
pub struct RemoteError(Box<Details>);

#[derive(Clone)]
struct Details {
    task: String,
    cause: Cause,
    status: Option<u16>,
    said: Option<String>,
    sql_number: Option<i64>,
    retry_after: Option<Duration>,
    attempts: u32,
    took: Duration,
    link_version: Option<String>,
    /// Shared, because one failed look may be the answer to several who wait.
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl RemoteError {
    /// An error of `task`, said as what was being done: "submitting a query to site 5f0c…".
    pub(crate) fn new(cause: Cause, task: impl Into<String>) -> Self {
        Self(Box::new(Details {
            task: task.into(),
            cause,
            status: None,
            said: None,
            sql_number: None,
            retry_after: None,
            attempts: 0,
            took: Duration::ZERO,
            link_version: None,
            source: None,
        }))
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds a detail in words; must already be free of row values and secrets.
    pub(crate) fn with_said(mut self, said: impl Into<Option<String>>) -> Self {
        self.0.said = said.into();
        self
    }

    pub(crate) fn with_sql_number(mut self, number: Option<i64>) -> Self {
        self.0.sql_number = number;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, took: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.took = took;
        self
    }

    pub(crate) fn with_link_version(mut self, version: Option<String>) -> Self {
        self.0.link_version = version;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What went wrong, in the API's terms.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.0.cause
    }

    /// The kind of failure, as the ledger keeps it.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        advice(self.0.cause).class
    }

    /// When the same may be tried again; what the API asked for, where it did.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match (advice(self.0.cause).retry, self.0.retry_after) {
            (Retry::Later(_), Some(asked)) => Retry::Later(asked),
            (retry, _) => retry,
        }
    }

    /// Who can mend it.
    #[must_use]
    pub fn mender(&self) -> Mender {
        advice(self.0.cause).mender
    }

    /// Why it happened, as far as we know: one sentence.
    #[must_use]
    pub fn why(&self) -> &'static str {
        advice(self.0.cause).why
    }

    /// What to do next: one sentence.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        advice(self.0.cause).next
    }

    /// The HTTP status of the last answer, if one came.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.status
    }

    /// The database's own error number, for a failed statement.
    #[must_use]
    pub fn sql_number(&self) -> Option<i64> {
        self.0.sql_number
    }

    /// What the API itself said, made safe to show.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.0.said.as_deref()
    }

    /// Whether the statement took longer than the agent at the practice allows, and was stopped.
    #[must_use]
    pub fn ran_out_of_time(&self) -> bool {
        self.0.sql_number == Some(super::failure::SQL_TIME_OUT)
    }

    /// How often the call was tried, from 1; 0 if it never left.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether we were asked to stop, which is no fault of anything.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cause == Cause::Cancelled
    }

    /// Whether a submission that failed so may nevertheless have been accepted.
    ///
    /// There is no way to find such a query again: no listing, no idempotency key. Posting it anew is
    /// safe for the data, as it only reads, but costs the practice a second run.
    #[must_use]
    pub fn may_have_been_accepted(&self) -> bool {
        matches!(
            self.0.cause,
            Cause::Unanswered
                | Cause::CutShort
                | Cause::SiteLost
                | Cause::ApiFailed
                | Cause::Unreadable
        )
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        write!(f, "{}: {}", details.task, advice(details.cause).what)?;
        if let Some(status) = details.status {
            write!(f, " (HTTP {status})")?;
        }
        if let Some(number) = details.sql_number {
            write!(f, ", SQL error {number}")?;
        }
        if let Some(version) = &details.link_version {
            write!(f, ", Halo Link {version}")?;
            for fault in known_link_faults(version) {
                let what = fault.what.trim_end_matches('.');
                write!(f, " (known until {}: {what})", fault.mended_in)?;
            }
        }
        if let Some(said) = &details.said {
            write!(f, ": {said}")?;
        }
        if details.attempts > 1 {
            let seconds = details.took.as_secs_f64();
            write!(f, "; tried {} times in {seconds:.1} s", details.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteError({:?}: {self})", self.0.cause)
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}
