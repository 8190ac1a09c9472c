//! From result pages to a staged object: fetch, convert, de-identify and encode run side by side.
//!
//! ```text
//! pages (network, spool) ──2──► convert + privacy (a blocking thread) ──2──► encode + upload (objects)
//! ```
//!
//! The channels are bounded, so memory is a few pages and batches whatever the size of the result. A stage
//! that fails closes its channels and the others stop; the first cause, from left to right, is the one
//! that is reported. A cancelled or broken stream never looks like a shorter result: its object is aborted.
//!
//! Most nightly results are one small page. To hand it from thread to thread would cost more than to convert it, so
//! that it is fetched first, and then converted and encoded on one thread.

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::convert::Converter;
use crate::domain::Proof;
use crate::objects::{Batches, Provenance, Staged, StorageError, Store};
use crate::privacy::Deidentifier;
use crate::remote::{Page, RemoteResult};

use super::conversion::{Conversion, Converted};
use super::error::AttemptError;
use super::kept_pages::KeptPages;

/// Pages that wait between network and conversion, and batches between conversion and encoding.
const WAITING: usize = 2;

/// A complete object that waits for `publish`, and what proves it complete.
pub(super) struct Ready {
    pub(super) staged: Staged,
    pub(super) proof: Proof,
    /// Bytes of row JSON that were converted.
    pub(super) bytes: u64,
    /// Where its pages came from; they are kept until it is published.
    pub(super) pages: KeptPages,
}

/// Where an object is staged and what its footer says.
pub(super) struct Target<'a> {
    pub(super) store: &'a Store,
    pub(super) path: &'a str,
    pub(super) provenance: &'a Provenance,
    pub(super) extracted_at: DateTime<Utc>,
}

/// How each stage ended, from left to right.
type Ends = (
    Result<(), AttemptError>,
    Result<Converted, AttemptError>,
    Result<Staged, StorageError>,
);

/// Turns the pages of a result into a staged object and its proof.
pub(super) async fn stage_result(
    result: &RemoteResult,
    mut pages: KeptPages,
    converter: Converter,
    deidentifier: Deidentifier,
    target: Target<'_>,
    page_done: impl Fn(u64),
) -> Result<Ready, AttemptError> {
    let ends = if result.pages.len() <= 1 {
        let only = pages.next().await?;
        if only.is_some() {
            page_done(1);
        }
        on_one_thread(only, converter, deidentifier, &target).await
    } else {
        side_by_side(&mut pages, converter, deidentifier, &target, page_done).await
    };
    match ends {
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
                pages,
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

async fn on_one_thread(
    only: Option<Page>,
    converter: Converter,
    deidentifier: Deidentifier,
    target: &Target<'_>,
) -> Ends {
    let schema = deidentifier.schema();
    let (conversion, verdict) = Conversion::new(only.into_iter(), converter, deidentifier);
    let staged = target.stage(&schema, Batches::of(conversion)).await;
    (Ok(()), verdict.told().await, staged)
}

async fn side_by_side(
    pages: &mut KeptPages,
    converter: Converter,
    deidentifier: Deidentifier,
    target: &Target<'_>,
    page_done: impl Fn(u64),
) -> Ends {
    let (page_sender, mut page_receiver) = mpsc::channel(WAITING);
    let (batch_sender, batch_receiver) = mpsc::channel(WAITING);
    let schema = deidentifier.schema();
    let fetched_pages = std::iter::from_fn(move || page_receiver.blocking_recv());
    let (conversion, verdict) = Conversion::new(fetched_pages, converter, deidentifier);
    // Where encoding stops, its own error is reported.
    conversion.send_to(batch_sender);
    let staging = target.stage(&schema, batch_receiver.into());
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
    (fetched, verdict.told().await, staged)
}

impl Target<'_> {
    async fn stage(&self, schema: &SchemaRef, batches: Batches) -> Result<Staged, StorageError> {
        self.store
            .stage(
                self.path,
                schema,
                self.provenance,
                self.extracted_at,
                batches,
            )
            .await
    }
}
