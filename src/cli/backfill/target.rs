//! Which backfill is meant: its number, or the beginning of its digest.

use chrono::Utc;

use crate::domain::BackfillId;
use crate::ledger::{BackfillRow, Ledger};

use super::super::exit_code::ExitCode;
use super::super::report::Failure;

/// Digits that `backfill list` shows of a digest.
pub(super) const DIGEST_SHOWN: usize = 12;

/// Fewest digits of a digest that may stand for it.
const DIGEST_LEAST: usize = 8;

/// The backfill that `text` means.
///
/// # Errors
/// When there is none, or several begin so.
pub(super) fn find(ledger: &Ledger, text: &str) -> Result<BackfillRow, Failure> {
    let failed = |error| Failure::new(ExitCode::Failed, error);
    let now = Utc::now();
    if let Some(number) = text.parse().ok().filter(|_| text.len() < DIGEST_LEAST)
        && let Some(row) = ledger.backfill(BackfillId(number), now).map_err(failed)?
    {
        return Ok(row);
    }
    let begins = |row: &BackfillRow| text.len() >= DIGEST_LEAST && row.digest.starts_with(text);
    let mut found: Vec<BackfillRow> = ledger
        .backfills(now)
        .map_err(failed)?
        .into_iter()
        .filter(begins)
        .collect();
    let only = found.pop();
    match only {
        Some(row) if found.is_empty() => Ok(row),
        Some(_) => Err(Failure::new(
            ExitCode::Usage,
            format!("{} backfills have the digest {text}", found.len() + 1),
        )
        .next("name it by its number: halo-extract backfill list")),
        None => Err(
            Failure::new(ExitCode::Usage, format!("there is no backfill {text}"))
                .next("halo-extract backfill list shows every backfill with its number and digest"),
        ),
    }
}
