//! A plan made from what was asked and from the ledger of this moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::config::Limits;
use crate::domain::{ExtractionState, Fingerprint, Query, QueryId, QueryVersion, Site, SiteKey};
use crate::ledger::{CostSample, Ledger, LedgerError};
use crate::plan::backfill::{
    BackfillAsked, Estimate, Left, Pace, Past, Standing, Unit, digest, estimate, in_order, units_of,
};

use super::super::exit_code::ExitCode;
use super::super::report::Failure;

/// What is kept with a plan, so that it can be made again and compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) asked: BackfillAsked,
    pub(super) texts: Vec<(QueryId, Fingerprint)>,
}

/// A plan.
pub(super) struct Made {
    pub(super) kept: Kept,
    pub(super) queries: Vec<Query>,
    pub(super) sites: Vec<Site>,
    pub(super) units: Vec<Unit>,
    pub(super) left: Vec<Left>,
}

impl Made {
    /// Plans what is asked. Sites and queries that are not there any more have no units.
    pub(super) fn of(
        asked: BackfillAsked,
        catalog: &Catalog,
        ledger: &Ledger,
    ) -> Result<Self, Failure> {
        let failed = |error: LedgerError| Failure::new(ExitCode::Failed, error);
        let queries: Vec<Query> = asked
            .queries
            .iter()
            .filter_map(|id| catalog.get(id).cloned())
            .collect();
        let all = ledger.sites().map_err(failed)?;
        let sites: Vec<Site> = all
            .into_iter()
            .filter(|site| asked.sites.contains(&site.key))
            .collect();
        let (mut units, mut left) = (Vec::new(), Vec::new());
        for site in &sites {
            for query in &queries {
                let standing = standing(ledger, site, query).map_err(failed)?;
                let of_query = units_of(&asked, site, query, &standing);
                units.extend(of_query.units);
                left.extend(of_query.left);
            }
        }
        in_order(&mut units, asked.oldest_first);
        let texts = queries
            .iter()
            .map(|query| (query.id.clone(), query.fingerprint.clone()))
            .collect();
        Ok(Self {
            kept: Kept { asked, texts },
            queries,
            sites,
            units,
            left,
        })
    }

    pub(super) fn digest(&self) -> String {
        digest(&self.kept.asked, &self.kept.texts, &self.units)
    }

    pub(super) fn estimate(
        &self,
        ledger: &Ledger,
        limits: Limits,
        now: DateTime<Utc>,
    ) -> Result<Estimate, Failure> {
        let pace = Pace {
            at_once: limits
                .extractions_at_once
                .try_into()
                .unwrap_or(std::num::NonZeroU32::MIN),
            per_site: limits
                .extractions_per_site
                .try_into()
                .unwrap_or(std::num::NonZeroU32::MIN),
        };
        let budgets: BTreeMap<&SiteKey, Option<u32>> = self
            .sites
            .iter()
            .map(|site| (&site.key, limits.queries_per_month(&site.overrides)))
            .collect();
        estimate(
            &self.units,
            &self.queries,
            pace,
            |site, query| Ok(ledger.cost_samples(site, query)?.iter().map(past).collect()),
            |site| match budgets.get(site).copied().flatten() {
                None => Ok(None),
                Some(budget) => {
                    let posted = ledger.posted_this_month(site, now)?;
                    Ok(Some(u64::from(budget.saturating_sub(posted))))
                }
            },
        )
        .map_err(|error: LedgerError| Failure::new(ExitCode::Failed, error))
    }
}

fn past(sample: &CostSample) -> Past {
    Past {
        attempts: sample.attempts,
        days: sample.days,
        rows: sample.rows,
        size_bytes: sample.size_bytes,
        remote: sample.remote,
        elapsed: sample.elapsed,
    }
}

fn standing(ledger: &Ledger, site: &Site, query: &Query) -> Result<Standing, LedgerError> {
    let mut standing = Standing {
        workable_days: ledger.workable_days(&site.key, &query.id)?,
        ..Standing::default()
    };
    for row in ledger.windows(&site.key, &query.id)? {
        match row.state {
            ExtractionState::Pending(_) | ExtractionState::Running(_) => {
                standing.under_way.push(row.window);
            }
            ExtractionState::Failed(_) => standing.failed.push(row.window),
            _ => {}
        }
        standing
            .covered
            .extend(row.extracted_at.map(|at| (row.window, at)));
    }
    let older = (1..query.id.version.number()).filter_map(QueryVersion::new);
    for version in older {
        let id = QueryId {
            name: query.id.name.clone(),
            version,
        };
        standing.older.extend(ledger.coverage(&site.key, &id)?);
    }
    Ok(standing)
}
