//! A stable delay for each site and query, so that a fleet does not start at once.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::domain::{QueryName, SiteKey};

/// The delay of a query at a site: less than `most`, in whole seconds, and the same every night.
///
/// It depends on nothing else, so a site's load comes at its usual time whatever joins the fleet.
#[must_use]
pub(super) fn delay(site: &SiteKey, query: &QueryName, most: Duration) -> Duration {
    if most.as_secs() == 0 {
        return Duration::ZERO;
    }
    let digest = Sha256::new()
        .chain_update(site.as_str())
        .chain_update("/")
        .chain_update(query.as_str())
        .finalize();
    let (first, _) = digest
        .split_first_chunk::<8>()
        .expect("a SHA-256 has 32 bytes");
    Duration::from_secs(u64::from_be_bytes(*first) % most.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_HOURS: Duration = Duration::from_secs(7200);

    fn delays(query: &str) -> Vec<u64> {
        let query = query.parse().expect("a name");
        (0..4000)
            .map(|number| {
                let site = format!("s{number}").parse().expect("a key");
                delay(&site, &query, TWO_HOURS).as_secs()
            })
            .collect()
    }

    #[test]
    fn a_fleet_is_spread_evenly_over_the_whole_time() {
        let mut quarters = [0; 4];
        for delay in delays("visit") {
            quarters[usize::try_from(delay / 1800).expect("small")] += 1;
        }

        // 1,000 are expected in each; five standard deviations are 137.
        assert!(
            quarters.iter().all(|sites| (863..=1137).contains(sites)),
            "{quarters:?}"
        );
    }

    #[test]
    fn a_delay_is_the_same_every_night_and_differs_by_query() {
        assert_eq!(delays("visit"), delays("visit"));
        assert_ne!(delays("visit"), delays("patient"));
    }

    #[test]
    fn without_a_spread_there_is_no_delay() {
        let site = "s1".parse().expect("a key");
        let query = "visit".parse().expect("a name");
        assert_eq!(delay(&site, &query, Duration::ZERO), Duration::ZERO);
    }
}
