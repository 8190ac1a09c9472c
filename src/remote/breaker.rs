//! When to leave a failing site alone: a pure decision over its recent failures.
//!
//! Closed while all is well; open after several failures in a row, for a rest that doubles each time;
//! half-open when the rest is over: then one caller looks at the site's status, which costs the practice
//! nothing, and only if the site is back a query is let through.

use std::time::Duration;

use tokio::time::Instant;

use super::cause::Cause;

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRule {
    /// Failures in a row that open it, from 1.
    pub failures: u32,
    /// The first rest; doubles with every failure after it.
    pub rest: Duration,
    /// The longest rest.
    pub rest_most: Duration,
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self {
            failures: 3,
            rest: Duration::from_secs(300),
            rest_most: Duration::from_secs(3600),
        }
    }
}

/// What a caller may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Leave {
    /// Ask.
    Ask,
    /// Look at the site's status first, and tell what came of it.
    Probe,
    /// Do not ask for this long.
    Rest(Duration),
}

/// The breaker of one site.
#[derive(Debug)]
pub(crate) struct Breaker {
    rule: BreakerRule,
    failures: u32,
    /// While open: when the rest ends. While a probe is out: when it counts as lost.
    shut_until: Option<Instant>,
}

/// A probe that was not heard of for this long was dropped, and another caller may probe.
const PROBE_LOST: Duration = Duration::from_secs(120);

impl Breaker {
    pub(crate) fn new(rule: BreakerRule) -> Self {
        Self {
            rule,
            failures: 0,
            shut_until: None,
        }
    }

    /// Whether a query may be sent now. [`Leave::Probe`] goes to one caller at a time.
    pub(crate) fn ask(&mut self, now: Instant) -> Leave {
        match self.shut_until {
            None => Leave::Ask,
            Some(until) if now < until => Leave::Rest(until - now),
            Some(_) => {
                self.shut_until = Some(now + PROBE_LOST);
                Leave::Probe
            }
        }
    }

    /// The site answered a query: all is forgotten.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.shut_until = None;
    }

    /// The site looks to be back. Queries are let through again, but the next failure opens anew.
    pub(crate) fn looks_well(&mut self) {
        self.shut_until = None;
    }

    /// The site failed.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if let Some(over) = self.failures.checked_sub(self.rule.failures.max(1)) {
            let rest = self.rule.rest.saturating_mul(1 << over.min(20));
            self.shut_until = Some(now + rest.min(self.rule.rest_most));
        }
    }
}

/// Whether a failure speaks against the site, not against the query, the key or the network.
pub(crate) fn speaks_against_site(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::SiteOffline
            | Cause::SiteLost
            | Cause::SiteStuck
            | Cause::ExpiredInQueue
            | Cause::TransferFailed
            | Cause::LinkFault
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BreakerRule = BreakerRule {
        failures: 3,
        rest: Duration::from_secs(10),
        rest_most: Duration::from_secs(15),
    };

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_not_after_scattered_ones() {
        let now = Instant::now();
        let mut breaker = Breaker::new(RULE);
        for _ in 0..10 {
            breaker.failed(now);
            breaker.failed(now);
            breaker.succeeded();
        }
        breaker.failed(now);
        breaker.failed(now);
        assert_eq!(breaker.ask(now), Leave::Ask);
        breaker.failed(now);
        assert_eq!(breaker.ask(now), Leave::Rest(seconds(10)));
    }

    #[test]
    fn after_the_rest_one_caller_probes_and_a_bad_probe_rests_longer() {
        let now = Instant::now();
        let mut breaker = Breaker::new(RULE);
        for _ in 0..3 {
            breaker.failed(now);
        }

        let later = now + seconds(10);
        assert_eq!(breaker.ask(later), Leave::Probe);
        assert!(matches!(breaker.ask(later), Leave::Rest(_)));
        breaker.failed(later);
        assert_eq!(breaker.ask(later), Leave::Rest(seconds(15)));
    }

    #[test]
    fn a_good_probe_lets_queries_through_but_the_next_failure_opens_anew() {
        let now = Instant::now();
        let mut breaker = Breaker::new(RULE);
        for _ in 0..3 {
            breaker.failed(now);
        }
        assert_eq!(breaker.ask(now + seconds(10)), Leave::Probe);
        breaker.looks_well();
        assert_eq!(breaker.ask(now + seconds(10)), Leave::Ask);
        breaker.failed(now + seconds(10));
        assert!(matches!(breaker.ask(now + seconds(10)), Leave::Rest(_)));
    }

    #[test]
    fn a_probe_that_is_never_heard_of_does_not_close_the_site_for_ever() {
        let now = Instant::now();
        let mut breaker = Breaker::new(RULE);
        for _ in 0..3 {
            breaker.failed(now);
        }
        assert_eq!(breaker.ask(now + seconds(10)), Leave::Probe);
        assert_eq!(breaker.ask(now + seconds(10) + PROBE_LOST), Leave::Probe);
    }
}
