//! What the client remembers of each site: its breaker and its poller.
//!
//! How many queries are at work at a site is not decided here: the ledger's claims count them over all processes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::domain::HaloGuid;

use super::breaker::{Breaker, BreakerRule, Leave, speaks_against_site};
use super::error::RemoteError;
use super::poller::Poller;

/// All sites that were asked so far.
pub(crate) struct Sites {
    breaker_rule: BreakerRule,
    known: Mutex<HashMap<HaloGuid, Arc<SiteMemory>>>,
}

/// What is remembered of one site.
pub(crate) struct SiteMemory {
    pub(crate) poller: Poller,
    breaker: Mutex<Breaker>,
}

impl Sites {
    pub(crate) fn new(breaker_rule: BreakerRule) -> Self {
        Self {
            breaker_rule,
            known: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, site: HaloGuid) -> Arc<SiteMemory> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = known.entry(site).or_insert_with(|| {
            Arc::new(SiteMemory {
                poller: Poller::new(),
                breaker: Mutex::new(Breaker::new(self.breaker_rule)),
            })
        });
        memory.clone()
    }
}

impl SiteMemory {
    pub(crate) fn ask(&self) -> Leave {
        self.with_breaker(|breaker| breaker.ask(Instant::now()))
    }

    pub(crate) fn looks_well(&self) {
        self.with_breaker(Breaker::looks_well);
    }

    pub(crate) fn succeeded(&self) {
        self.with_breaker(Breaker::succeeded);
    }

    /// Takes note of a failure, if it speaks against the site.
    pub(crate) fn failed(&self, error: &RemoteError) {
        if speaks_against_site(error.cause()) {
            self.with_breaker(|breaker| breaker.failed(Instant::now()));
        }
    }

    fn with_breaker<T>(&self, work: impl FnOnce(&mut Breaker) -> T) -> T {
        work(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
