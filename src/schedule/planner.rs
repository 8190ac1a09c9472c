//! One look of the planner: from what the ledger knows to what the ledger then holds.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ledger::{Ledger, LedgerError};
use crate::plan::{Rules, Timetable, nightly};

/// Sites whose nights are in memory at the same time.
const SITES_AT_ONCE: usize = 100;

/// Plans the nights of a fleet.
#[derive(Debug)]
pub struct Planner {
    /// The durable truth.
    pub ledger: Arc<Ledger>,
    /// The queries that run by themselves.
    pub timetables: Vec<Timetable>,
    /// The settings.
    pub rules: Rules,
}

/// What a look changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Sites whose pause ended.
    pub resumed: usize,
    /// Extractions that are due now and were not before.
    pub planned: usize,
    /// Extractions that gave way to a wider window.
    pub superseded: usize,
}

impl Planner {
    /// Looks what is due at `now` and takes it into the ledger. Looking again changes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read or written; looking again goes on where it was.
    pub fn look(&self, now: DateTime<Utc>) -> Result<Look, LedgerError> {
        let resumed = self.ledger.resume_paused(now)?.len();
        let sites = self.ledger.sites()?;
        let standings = self.ledger.standings()?;
        let mut look = Look {
            resumed,
            ..Look::default()
        };
        for some in sites.chunks(SITES_AT_ONCE) {
            let tonight = nightly(some, &self.timetables, &standings, &self.rules, now);
            let outcome = self.ledger.plan_nights(&tonight, now)?;
            look.planned += outcome.planned;
            look.superseded += outcome.superseded;
        }
        Ok(look)
    }
}
