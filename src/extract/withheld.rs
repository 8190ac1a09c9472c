//! How many rows the practice kept back: the query's own count, asked when its result is complete.
//!
//! Not part of the result and not among the four counts that prove it. Asked after the main statement, so
//! that the practice's server never works at both at once.

use crate::domain::{Extraction, HaloGuid, Query};
use crate::remote::ImmediateResult;

use super::engine::Engine;
use super::error::AttemptError;
use super::statement::bound;

/// The one row that a `withheld` statement answers with.
#[derive(serde::Deserialize)]
struct Count {
    withheld: u64,
}

/// Asks how many rows `query` keeps out of the extraction; `None` if it does not count them.
pub(super) async fn count_withheld(
    engine: &Engine,
    guid: HaloGuid,
    query: &Query,
    extraction: &Extraction,
) -> Result<Option<u64>, AttemptError> {
    let Some(sql) = &query.withheld else {
        return Ok(None);
    };
    let most = engine.halo.max_time_in_queue;
    let statement = bound(sql, query, extraction.window, most);
    let asked = engine.ask(&extraction.site, guid, &statement).await;
    let answer = asked.map_err(|error| match error {
        AttemptError::Remote(error) => AttemptError::Uncounted(Box::new(error)),
        other => other,
    })?;
    read(&answer)
        .map(Some)
        .ok_or_else(|| AttemptError::NotACount(query.id.clone()))
}

fn read(answer: &ImmediateResult) -> Option<u64> {
    match serde_json::from_slice::<Vec<Count>>(answer.body.as_ref()) {
        Ok(rows) => match rows.as_slice() {
            [one] => Some(one.withheld),
            _ => None,
        },
        Err(_) => None,
    }
}
