//! `[limits]`: how much happens at the same time.

use crate::domain::SiteOverrides;

use super::Layers;

/// How much happens at the same time, and how often it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Extractions at work over all sites.
    pub extractions_at_once: u32,
    /// Extractions at work at one site.
    pub extractions_per_site: u32,
    /// Queries posted to one site in a calendar month (UTC); `None` for as many as are due.
    pub queries_per_site_month: Option<u32>,
    /// Tries at one extraction within one `run`.
    pub attempts_per_run: u32,
    /// Calls of the API under way at the same time over all sites.
    pub calls_at_once: u32,
    /// Calls of the API begun in a second over all sites.
    pub calls_per_second: u32,
}

impl Limits {
    /// Queries that may be posted in a calendar month (UTC) to a site with these settings of its own; `None` is no
    /// limit.
    #[must_use]
    pub fn queries_per_month(&self, site: &SiteOverrides) -> Option<u32> {
        match site.queries_per_month {
            Some(0) => None,
            Some(own) => Some(own),
            None => self.queries_per_site_month,
        }
    }

    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            extractions_at_once: layers.count("limits.extractions_at_once", 1..=1024),
            extractions_per_site: layers.count("limits.extractions_per_site", 1..=16),
            queries_per_site_month: Some(
                layers.count("limits.queries_per_site_month", 0..=1_000_000),
            )
            .filter(|most| *most > 0),
            attempts_per_run: layers.count("limits.attempts_per_run", 1..=20),
            calls_at_once: layers.count("limits.calls_at_once", 1..=1024),
            calls_per_second: layers.count("limits.calls_per_second", 1..=100_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_the_budget_of_all_unless_it_has_its_own_and_its_own_may_be_none() {
        let limits = Limits {
            extractions_at_once: 1,
            extractions_per_site: 1,
            queries_per_site_month: Some(600),
            attempts_per_run: 1,
            calls_at_once: 1,
            calls_per_second: 1,
        };
        let budget = |own| {
            limits.queries_per_month(&SiteOverrides {
                queries_per_month: own,
                ..SiteOverrides::default()
            })
        };

        assert_eq!(
            [budget(None), budget(Some(9)), budget(Some(0))],
            [Some(600), Some(9), None]
        );
    }
}
