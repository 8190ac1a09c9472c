//! Whether the world is still as it was when a plan was made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::{Extraction, Fingerprint, QueryId, SiteKey};

use super::units::{Left, Unit};

/// One thing that is otherwise than when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The text of a query is another one.
    Text(QueryId),
    /// The query is not there any more.
    NoQuery(QueryId),
    /// A site needs other units of a query now.
    Units {
        /// The site.
        site: SiteKey,
        /// The query.
        query: QueryId,
        /// Units of the plan that would not be planned now.
        gone: usize,
        /// Units that would be planned now and are not in the plan.
        new: usize,
        /// What is said of the days that are left now.
        now: Option<String>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(query) => write!(f, "{query} was edited since"),
            Self::NoQuery(query) => write!(f, "{query} is not in the catalog any more"),
            Self::Units {
                site,
                query,
                gone,
                new,
                now,
            } => {
                write!(
                    f,
                    "{site} {query}: {gone} units fewer and {new} more would be planned now"
                )?;
                now.iter().try_for_each(|now| write!(f, " ({now})"))
            }
        }
    }
}

/// What is otherwise, by query text and by site and query; empty if a plan made now has the same units.
#[must_use]
pub fn differences(
    (texts, units): (&[(QueryId, Fingerprint)], &[Unit]),
    (texts_now, units_now, left_now): (&[(QueryId, Fingerprint)], &[Unit], &[Left]),
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (query, fingerprint) in texts {
        match texts_now.iter().find(|(now, _)| now == query) {
            None => found.push(Difference::NoQuery(query.clone())),
            Some((_, now)) if now != fingerprint => found.push(Difference::Text(query.clone())),
            Some(_) => {}
        }
    }
    let (then, now) = (windows(units), windows(units_now));
    let pairs: BTreeSet<_> = then.keys().chain(now.keys()).collect();
    let none = BTreeSet::new();
    for pair in pairs {
        let (then, now) = (
            then.get(pair).unwrap_or(&none),
            now.get(pair).unwrap_or(&none),
        );
        let (gone, new) = (then.difference(now).count(), now.difference(then).count());
        if gone + new == 0 {
            continue;
        }
        let (site, query) = pair;
        let of_pair = |left: &&Left| left.site == **site && left.query == **query;
        let reasons: Vec<String> = left_now
            .iter()
            .filter(of_pair)
            .map(|left| format!("{} days: {}", left.days, left.why))
            .collect();
        found.push(Difference::Units {
            site: (*site).clone(),
            query: (*query).clone(),
            gone,
            new,
            now: (!reasons.is_empty()).then(|| reasons.join("; ")),
        });
    }
    found
}

type Pair<'a> = (&'a SiteKey, &'a QueryId);

fn windows(units: &[Unit]) -> BTreeMap<Pair<'_>, BTreeSet<&Extraction>> {
    let mut found: BTreeMap<Pair<'_>, BTreeSet<&Extraction>> = BTreeMap::new();
    for unit in units {
        let Extraction { site, query, .. } = &unit.extraction;
        found
            .entry((site, query))
            .or_default()
            .insert(&unit.extraction);
    }
    found
}
