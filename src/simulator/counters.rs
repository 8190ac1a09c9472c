//! How often each site and endpoint was asked, and what it answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::route::Endpoint;

/// Counts of every request received since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: Mutex<Counts>,
}

type Counts = BTreeMap<String, BTreeMap<Endpoint, Tally>>;

/// The requests of one site and endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    /// Requests that arrived, whatever became of them.
    pub(super) received: u64,
    /// Answers by HTTP status; an answer that was never sent counts under `lost`.
    pub(super) answered: BTreeMap<String, u64>,
}

/// Where requests are counted that name no known site.
pub(super) const NO_SITE: &str = "-";

impl Counters {
    /// Counts a request as it arrives.
    pub(super) fn received(&self, site: &str, endpoint: Endpoint) {
        self.edit(site, endpoint, |tally| tally.received += 1);
    }

    /// Counts how a request ended.
    pub(super) fn answered(&self, site: &str, endpoint: Endpoint, outcome: &str) {
        self.edit(site, endpoint, |tally| {
            *tally.answered.entry(outcome.to_owned()).or_default() += 1
        });
    }

    /// All counts, by site and endpoint.
    pub(super) fn snapshot(&self) -> BTreeMap<String, BTreeMap<Endpoint, Tally>> {
        self.counts().clone()
    }

    /// Starts from nothing.
    pub(super) fn reset(&self) {
        self.counts().clear();
    }

    fn edit(&self, site: &str, endpoint: Endpoint, edit: impl FnOnce(&mut Tally)) {
        edit(
            self.counts()
                .entry(site.to_owned())
                .or_default()
                .entry(endpoint)
                .or_default(),
        );
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
