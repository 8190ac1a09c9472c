//! How far each query has come at each site, and when something of it was extracted last. Both only ever grow.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Transaction, params};

use crate::domain::Extraction;

use super::column::millis;

/// Notes an object that covers the days before `covered_to`.
pub(super) fn extend(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
    covered_to: NaiveDate,
    extracted_at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO reach (site, query, version, covered_to, extracted_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET covered_to = max(covered_to, excluded.covered_to),
                                       extracted_at = max(extracted_at, excluded.extracted_at)",
        )?
        .execute(params![
            extraction.site.as_str(),
            extraction.query.name.as_str(),
            extraction.query.version.number(),
            covered_to.to_string(),
            millis(extracted_at),
        ])?;
    Ok(())
}
