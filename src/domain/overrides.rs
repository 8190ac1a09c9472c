//! What one site has otherwise than the configuration says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{QueryName, QuietHours};

/// Settings of one site that stand in for those of the configuration; absent ones leave it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteOverrides {
    /// When extraction may run, in the site's local time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Extractions at work at the same time at this site, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extractions_at_once: Option<u32>,
    /// Queries that may be posted to it in a calendar month (UTC); 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries_per_month: Option<u32>,
    /// Queries that are not asked here, because the practice denies them or does not need them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub queries_off: BTreeSet<QueryName>,
}

impl SiteOverrides {
    /// Whether the query may be asked at the site.
    #[must_use]
    pub fn allows(&self, query: &QueryName) -> bool {
        !self.queries_off.contains(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_otherwise_is_an_empty_object() {
        let text = serde_json::to_string(&SiteOverrides::default()).expect("JSON");
        assert_eq!(text, "{}");
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let overrides = SiteOverrides {
            quiet_hours: "20:00-06:00".parse().ok(),
            extractions_at_once: Some(2),
            queries_per_month: Some(900),
            queries_off: BTreeSet::from(["visit".parse().expect("a name")]),
        };

        let text = serde_json::to_string(&overrides).expect("JSON");

        assert_eq!(
            serde_json::from_str::<SiteOverrides>(&text).expect("the same"),
            overrides
        );
        assert!(!overrides.allows(&"visit".parse().expect("a name")));
        assert!(overrides.allows(&"patient".parse().expect("a name")));
    }
}
