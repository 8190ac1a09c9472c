//! From result pages to a staged object: fetch, convert, de-identify and encode run side by side.
//!
//! ```text
//! pages (network, spool) ──2──► convert + privacy (a blocking thread) ──2──► encode + upload (objects)
//! ```
//!
//! The channels are bounded, so memory is a few pages and batches whatever the size of the result. A stage
//! that fails closes its channels and the others stop; the first cause, from left to right, is the one
//! that is reported. A cancelled or broken stream never looks like a shorter result: its object is aborted.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use crate::convert::Converter;
use crate::domain::Proof;
use crate::objects::{Provenance, Staged, Store};
use crate::privacy::Deidentifier;
use crate::remote::{Page, RemoteResult};

use super::error::AttemptError;
use super::kept_pages::KeptPages;

/// Pages that wait between network and conversion, and batches between conversion and encoding.
const WAITING: usize = 2;

/// What conversion counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// Rows in the batches.
    pub rows: u64,
    /// Sum of the rows that the API declared for the pages; a page for which it declared none counts as it is.
    pub declared: u64,
    /// Bytes of row JSON.
    pub bytes: u64,
}

/// A complete object that waits for `publish`, and what proves it complete.
pub(super) struct Ready {
    pub(super) staged: Staged,
    pub(super) proof: Proof,
    /// Bytes of row JSON that were converted.
    pub(super) bytes: u64,
}

/// Where an object is staged and what its footer says.
pub(super) struct Target<'a> {
    pub(super) store: &'a Store,
    pub(super) path: &'a str,
    pub(super) provenance: &'a Provenance,
    pub(super) extracted_at: DateTime<Utc>,
}

/// Turns the pages of a result into a staged object and its proof.
pub(super) async fn stage_result(
    result: &RemoteResult,
    mut pages: KeptPages,
    converter: Converter,
    deidentifier: Deidentifier,
    target: Target<'_>,
    page_done: impl Fn(u64),
) -> Result<Ready, AttemptError> {
    let (page_sender, page_receiver) = mpsc::channel(WAITING);
    let (batch_sender, batch_receiver) = mpsc::channel(WAITING);
    let schema = deidentifier.schema();
    let converting = tokio::task::spawn_blocking(move || {
        convert_pages(page_receiver, &batch_sender, converter, deidentifier)
    });
    let staging = target.store.stage(
        target.path,
        &schema,
        target.provenance,
        target.extracted_at,
        batch_receiver,
    );
    let fetching = async {
        let mut done = 0;
        while let Some(page) = pages.next().await? {
            // A closed channel means that conversion failed; its own error is reported.
            if page_sender.send(page).await.is_err() {
                break;
            }
            done += 1;
            page_done(done);
        }
        drop(page_sender);
        Ok::<(), AttemptError>(())
    };
    let (fetched, staged) = tokio::join!(fetching, staging);
    let converted = joined(converting).await;
    match (fetched, converted, staged) {
        (Ok(()), Ok(converted), Ok(staged)) => {
            let proof = Proof {
                declared: result.rows,
                pages: converted.declared,
                batches: converted.rows,
                footer: staged.rows_in_footer(),
                withheld: target.provenance.rows_withheld,
            };
            Ok(Ready {
                staged,
                proof,
                bytes: converted.bytes,
            })
        }
        (fetched, converted, staged) => {
            if let Ok(staged) = staged {
                staged.abort().await;
                fetched?;
                converted?;
                return Err(AttemptError::Internal(
                    "a stage ended without a result".to_owned(),
                ));
            }
            fetched?;
            // Conversion that only lost its reader is not the cause; storage is.
            match converted {
                Ok(_) | Err(AttemptError::Internal(_)) => {}
                Err(error) => return Err(error),
            }
            Err(staged.err().map_or_else(
                || AttemptError::Internal("staging ended early".to_owned()),
                Into::into,
            ))
        }
    }
}

/// Turns the pages that come, in order, into batches that may be written, until the sender is dropped. Blocks.
///
/// # Errors
/// When a page is broken, breaks the contract or has other rows than declared, and when nobody takes the batches
/// any more.
pub fn convert_pages(
    mut pages: mpsc::Receiver<Page>,
    batches: &mpsc::Sender<RecordBatch>,
    mut converter: Converter,
    mut deidentifier: Deidentifier,
) -> Result<Converted, AttemptError> {
    let mut converted = Converted {
        rows: 0,
        declared: 0,
        bytes: 0,
    };
    let mut hand_on = |batch: RecordBatch| -> Result<u64, AttemptError> {
        let rows = batch.num_rows() as u64;
        let batch = deidentifier.apply(&batch);
        batches.blocking_send(batch).map_err(|_| {
            AttemptError::Internal("encoding stopped before the result ended".to_owned())
        })?;
        Ok(rows)
    };
    while let Some(page) = pages.blocking_recv() {
        let (number, declared) = (page.number, page.rows_declared);
        let rows = page.into_rows()?;
        converted.bytes += rows.as_ref().len() as u64;
        let found = converter.push_page(number, rows.as_ref())?;
        let declared = declared.unwrap_or(found);
        // Compared page by page, because two wrong pages could make one right sum.
        if declared != found {
            return Err(AttemptError::OtherRows {
                page: number,
                declared,
                found,
            });
        }
        converted.declared += declared;
        while let Some(batch) = converter.take_batch() {
            converted.rows += hand_on(batch)?;
        }
    }
    if let Some(batch) = converter.finish() {
        converted.rows += hand_on(batch)?;
    }
    Ok(converted)
}

/// Waits for a blocking task; a panic in it fails the attempt and nothing else.
async fn joined<T>(task: JoinHandle<Result<T, AttemptError>>) -> Result<T, AttemptError> {
    task.await
        .unwrap_or_else(|error: JoinError| Err(AttemptError::Internal(panic_text(error))))
}

/// What a panic says of itself is not shown: it may hold a row value.
fn panic_text(error: JoinError) -> String {
    if error.is_panic() {
        "conversion panicked".to_owned()
    } else {
        "conversion was cancelled".to_owned()
    }
}
