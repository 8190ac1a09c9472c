//! What to tell whoever is on call: breaches of freshness grouped by cause, each told once, and when it is over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{Alert, QueryId, SiteKey};
use crate::plan::Breach;

/// Sites that a message names; it tells how many there are in all.
const NAMED: usize = 20;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct News {
    /// What happened.
    pub kind: Kind,
    /// The cause that the group shares, as the ledger tells it: `failed (contract)`.
    pub cause: String,
    /// When it was first seen.
    pub since: DateTime<Utc>,
    /// How many sites it concerns; none when it is over.
    pub site_count: u64,
    /// Some of these.
    pub sites: Vec<SiteKey>,
    /// The queries that it concerns.
    pub queries: Vec<QueryId>,
}

/// What happened to a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Sites are late that were not.
    Late,
    /// At least twice as many as were told.
    Grew,
    /// None is late for this cause any more.
    Recovered,
}

/// What is new since `told`, the causes that were told and are not over.
#[must_use]
pub fn news(breaches: &[Breach], told: &BTreeMap<String, Alert>, now: DateTime<Utc>) -> Vec<News> {
    let mut groups: BTreeMap<&str, (BTreeSet<&SiteKey>, BTreeSet<&QueryId>)> = BTreeMap::new();
    for breach in breaches {
        let group = groups.entry(&breach.cause).or_default();
        group.0.insert(&breach.site);
        group.1.insert(&breach.query);
    }
    let mut news = Vec::new();
    for (cause, (sites, queries)) in &groups {
        let site_count = sites.len() as u64;
        let (kind, since) = match told.get(*cause) {
            None => (Kind::Late, now),
            Some(alert) if site_count >= 2 * alert.sites => (Kind::Grew, alert.since),
            Some(_) => continue,
        };
        news.push(News {
            kind,
            cause: (*cause).to_owned(),
            since,
            site_count,
            sites: sites
                .iter()
                .take(NAMED)
                .map(|site| (*site).clone())
                .collect(),
            queries: queries.iter().map(|query| (*query).clone()).collect(),
        });
    }
    let over = told
        .iter()
        .filter(|(cause, _)| !groups.contains_key(cause.as_str()));
    news.extend(over.map(|(cause, alert)| News {
        kind: Kind::Recovered,
        cause: cause.clone(),
        since: alert.since,
        site_count: 0,
        sites: Vec::new(),
        queries: Vec::new(),
    }));
    news
}

impl News {
    /// What the ledger keeps once this was told; nothing when it is over.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        (self.kind != Kind::Recovered).then_some(Alert {
            since: self.since,
            sites: self.site_count,
        })
    }

    /// A sentence or two for people.
    #[must_use]
    pub fn text(&self) -> String {
        let since = self.since.format("%Y-%m-%d %H:%M UTC");
        if self.kind == Kind::Recovered {
            return format!(
                "recovered: no site is late any more because of: {} (since {since})",
                self.cause
            );
        }
        let mut sites: Vec<String> = self.sites.iter().map(ToString::to_string).collect();
        let more = self.site_count.saturating_sub(sites.len() as u64);
        if more > 0 {
            sites.push(format!("and {more} more"));
        }
        let queries: Vec<String> = self.queries.iter().map(ToString::to_string).collect();
        format!(
            "{} late because of: {}\nsites: {}\nqueries: {}\nnext: halo-extract status --check",
            count(self.site_count),
            self.cause,
            sites.join(", "),
            queries.join(", ")
        )
    }
}

fn count(sites: u64) -> String {
    match sites {
        1 => "1 site is".to_owned(),
        sites => format!("{sites} sites are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hour)
    }

    fn breaches(cause: &str, sites: u32) -> Vec<Breach> {
        let of = |number, query: &str| Breach {
            site: format!("s{number}").parse().expect("a key"),
            query: query.parse().expect("a query"),
            extracted_at: None,
            cause: cause.to_owned(),
        };
        (0..sites)
            .flat_map(|number| [of(number, "visit@v1"), of(number, "patient@v1")])
            .collect()
    }

    /// Tells what is new and remembers it.
    fn tell(
        told: &mut BTreeMap<String, Alert>,
        breaches: &[Breach],
        hour: i64,
    ) -> Vec<(Kind, u64)> {
        let news = news(breaches, told, at(hour));
        for item in &news {
            match item.alert() {
                Some(alert) => drop(told.insert(item.cause.clone(), alert)),
                None => drop(told.remove(&item.cause)),
            }
        }
        news.iter()
            .map(|item| (item.kind, item.site_count))
            .collect()
    }

    #[test]
    fn a_cause_is_told_once_again_when_it_doubled_and_when_it_is_over() {
        let mut told = BTreeMap::new();
        let offline = |sites| breaches("pending (site-offline)", sites);

        assert_eq!(tell(&mut told, &offline(2), 0), [(Kind::Late, 2)]);
        assert_eq!(tell(&mut told, &offline(3), 1), []);
        assert_eq!(tell(&mut told, &offline(4), 2), [(Kind::Grew, 4)]);
        assert_eq!(tell(&mut told, &offline(1), 3), []);
        assert_eq!(tell(&mut told, &[], 4), [(Kind::Recovered, 0)]);
        assert_eq!(tell(&mut told, &[], 5), []);
    }

    #[test]
    fn sites_are_grouped_by_cause_and_a_long_list_is_cut() {
        let mut all = breaches("pending (site-offline)", 1);
        all.extend(breaches("failed (contract)", 30));

        let news = news(&all, &BTreeMap::new(), at(0));

        let texts: Vec<String> = news.iter().map(News::text).collect();
        assert!(
            texts[0].starts_with("30 sites are late because of: failed (contract)\n"),
            "{}",
            texts[0]
        );
        assert!(texts[0].contains("and 10 more"), "{}", texts[0]);
        assert_eq!(
            texts[1],
            "1 site is late because of: pending (site-offline)\nsites: s0\nqueries: patient@v1, visit@v1\n\
             next: halo-extract status --check"
        );
    }
}
