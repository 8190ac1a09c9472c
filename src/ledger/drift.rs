//! Drift: which columns of which queries no longer fit, at how many sites, under which PMS versions.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use crate::domain::{QueryId, QueryName, QueryVersion, SiteKey};

use super::column::text;
use super::{Claim, Fenced, Ledger, LedgerError};

/// One column that is not what the query expects, for one reason: in its result or, where the statement
/// failed, in the site's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractBreak {
    /// Name of the column.
    pub column: String,
    /// What is wrong, as a clause without a value: `is missing from the row`.
    pub reason: String,
}

/// One difference between a contract and what sites return.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// The query.
    pub query: QueryId,
    /// Name of the column.
    pub column: String,
    /// What is wrong.
    pub reason: String,
    /// Sites whose last attempt at an extraction failed so, by key.
    pub sites: Vec<SiteKey>,
    /// How many sites were asked the query.
    pub of_sites: u64,
    /// How many of the sites have each PMS type and version.
    pub pms_versions: BTreeMap<String, u64>,
}

impl Ledger {
    /// Records what did not fit in the open attempt of a claim.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_breaks(
        &self,
        claim: &Claim,
        breaks: &[ContractBreak],
    ) -> Result<Fenced, LedgerError> {
        if breaks.is_empty() {
            return Ok(Fenced::Recorded);
        }
        self.fenced("record a contract failure", claim, |transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO contract_break (extraction, attempt, column_name, reason) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?;
            for it in breaks {
                statement.execute(params![claim.id, claim.attempt.0, it.column, it.reason])?;
            }
            Ok(())
        })
    }

    /// What stands failed because of its contract or of a column that a site does not have, by query, column and reason; the most frequent first
    /// within a query.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn drift(&self) -> Result<Vec<Drift>, LedgerError> {
        self.read("read the drift", |transaction| {
            let mut statement = transaction.prepare_cached(
                "WITH asked AS (
                     SELECT query, version, count(DISTINCT site) AS of_sites FROM extraction
                     WHERE state IN ('succeeded', 'failed') GROUP BY query, version
                 )
                 SELECT DISTINCT e.query, e.version, b.column_name, b.reason, e.site, s.pms_type, s.pms_version, a.of_sites
                 FROM extraction AS e
                 JOIN asked AS a USING (query, version)
                 JOIN site AS s ON s.key = e.site
                 JOIN contract_break AS b ON b.extraction = e.id
                      AND b.attempt = (SELECT max(number) FROM attempt WHERE extraction = e.id)
                 WHERE e.state = 'failed' AND e.detail IN ('contract', 'sql')
                 ORDER BY e.query, e.version, b.column_name, b.reason, e.site",
            )?;
            let found = statement.query_map([], Found::from_row)?;
            Ok(grouped(found.collect::<Result<Vec<_>, _>>()?))
        })
    }
}

/// One difference at one site.
struct Found {
    query: QueryId,
    column: String,
    reason: String,
    site: SiteKey,
    pms: String,
    of_sites: u64,
}

impl Found {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let name: QueryName = text(row, "query")?;
        let version: u32 = row.get("version")?;
        let version = QueryVersion::new(version).ok_or(
            rusqlite::Error::IntegralValueOutOfRange(1, i64::from(version)),
        )?;
        let pms_type: String = row.get("pms_type")?;
        let pms_version: Option<String> = row.get("pms_version")?;
        Ok(Self {
            query: QueryId { name, version },
            column: row.get("column_name")?,
            reason: row.get("reason")?,
            site: text(row, "site")?,
            pms: format!(
                "{pms_type} {}",
                pms_version.as_deref().unwrap_or("of unknown version")
            ),
            of_sites: row.get("of_sites")?,
        })
    }
}

fn grouped(found: Vec<Found>) -> Vec<Drift> {
    let mut drifts: Vec<Drift> = Vec::new();
    for it in found {
        let is_more = drifts.last().is_some_and(|last| {
            last.query == it.query && last.column == it.column && last.reason == it.reason
        });
        if !is_more {
            drifts.push(Drift {
                query: it.query,
                column: it.column,
                reason: it.reason,
                sites: Vec::new(),
                of_sites: it.of_sites,
                pms_versions: BTreeMap::new(),
            });
        }
        let drift = drifts.last_mut().expect("pushed if there was none");
        drift.sites.push(it.site);
        *drift.pms_versions.entry(it.pms).or_default() += 1;
    }
    drifts.sort_by(|a, b| {
        let more_sites = || b.sites.len().cmp(&a.sites.len());
        a.query.cmp(&b.query).then_with(more_sites)
    });
    drifts
}
