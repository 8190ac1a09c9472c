//! Which statement of a query each site is asked, where it refuses the query's own.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::{QueryId, SiteKey, VariantName};

use super::column::{instant, millis, text};
use super::{Claim, Fenced, Ledger, LedgerError};

/// A variant that a site is asked instead of the query's own statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VariantChoice {
    /// Where.
    pub site: SiteKey,
    /// Which variant.
    pub variant: VariantName,
    /// How the site refused the query's own statement.
    pub reason: String,
    /// Since when this variant is asked.
    pub since: DateTime<Utc>,
    /// When the query's own statement was last found refused.
    pub looked: DateTime<Utc>,
}

impl Ledger {
    /// The variant that a site is asked; `None` where it is asked the query's own statement.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn variant_choice(
        &self,
        site: &SiteKey,
        query: &QueryId,
    ) -> Result<Option<VariantChoice>, LedgerError> {
        self.read("read a choice of variant", |transaction| {
            Ok(transaction
                .prepare_cached(
                    "SELECT * FROM variant_choice WHERE site = ?1 AND query = ?2 AND version = ?3",
                )?
                .query_row(
                    params![site.as_str(), query.name.as_str(), query.version.number()],
                    choice,
                )
                .optional()?)
        })
    }

    /// All sites that are asked a variant of the query, by key.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn variant_choices(&self, query: &QueryId) -> Result<Vec<VariantChoice>, LedgerError> {
        self.read("read choices of variants", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT * FROM variant_choice WHERE query = ?1 AND version = ?2 ORDER BY site",
            )?;
            let rows = statement
                .query_map(params![query.name.as_str(), query.version.number()], choice)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Records that a site, which refused the query's own statement with `reason`, is asked `variant` from now on.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn choose_variant(
        &self,
        site: &SiteKey,
        query: &QueryId,
        variant: &VariantName,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.write("record a choice of variant", |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO variant_choice (site, query, version, variant, reason, since, looked)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
                     ON CONFLICT DO UPDATE SET
                         since = CASE WHEN variant = excluded.variant THEN since ELSE excluded.since END,
                         variant = excluded.variant, reason = excluded.reason, looked = excluded.looked",
                )?
                .execute(params![
                    site.as_str(),
                    query.name.as_str(),
                    query.version.number(),
                    variant.as_str(),
                    reason,
                    millis(now),
                ])?;
            Ok(())
        })
    }

    /// Forgets the choice: the site is asked the query's own statement again.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn forget_variant(&self, site: &SiteKey, query: &QueryId) -> Result<(), LedgerError> {
        self.write("forget a choice of variant", |transaction| {
            transaction
                .prepare_cached(
                    "DELETE FROM variant_choice WHERE site = ?1 AND query = ?2 AND version = ?3",
                )?
                .execute(params![
                    site.as_str(),
                    query.name.as_str(),
                    query.version.number()
                ])?;
            Ok(())
        })
    }

    /// Notes which variant the open attempt of a claim is about to post. Call it before the submission is journalled.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_variant(
        &self,
        claim: &Claim,
        variant: Option<&VariantName>,
    ) -> Result<Fenced, LedgerError> {
        self.fenced("record a variant", claim, |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE attempt SET variant = ?3 WHERE extraction = ?1 AND number = ?2",
                )?
                .execute(params![
                    claim.id,
                    claim.attempt.0,
                    variant.map(VariantName::as_str)
                ])?;
            Ok(())
        })
    }
}

fn choice(row: &Row<'_>) -> rusqlite::Result<VariantChoice> {
    Ok(VariantChoice {
        site: text(row, "site")?,
        variant: text(row, "variant")?,
        reason: row.get("reason")?,
        since: instant(row, "since")?,
        looked: instant(row, "looked")?,
    })
}
