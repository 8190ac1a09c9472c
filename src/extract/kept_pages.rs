//! The pages of one result in order: those in the spool from there, the others from the API.

use std::collections::{BTreeSet, VecDeque};

use tokio_util::sync::CancellationToken;

use crate::domain::{HaloGuid, PageNumber, RemoteQueryId};
use crate::remote::{Cause, Client, Page, Pages, RemoteError, RemotePage, RemoteResult};

use super::engine::on_a_thread;
use super::error::AttemptError;
use super::spool::Spool;

/// An only page up to this size waits in memory and is kept only once its object could not be published: to write and
/// remove a file was much of what a small result cost, and fetching one page again costs one call.
const UNKEPT_BYTES: usize = 64 << 10;

/// The pages of one result, in order. Each page that is fetched is kept before it is handed on, unless it is the only
/// one and small.
pub(super) struct KeptPages {
    client: Client,
    site: HaloGuid,
    query: RemoteQueryId,
    spool: Spool,
    /// What was promised of the result, until it is kept.
    promise: Option<RemoteResult>,
    left: VecDeque<RemotePage>,
    kept: BTreeSet<PageNumber>,
    /// The pages that are not in the spool.
    missing: Pages,
    /// The only page, where it is small and not kept yet.
    unkept: Option<Page>,
    cancel: CancellationToken,
}

impl KeptPages {
    /// The pages of `result`. Of a query that was `just_posted` none can be in the spool, so that it is not looked at.
    pub(super) async fn new(
        client: &Client,
        site: HaloGuid,
        query: RemoteQueryId,
        just_posted: bool,
        result: &RemoteResult,
        spool: &Spool,
        cancel: CancellationToken,
    ) -> Self {
        let kept = if just_posted {
            BTreeSet::new()
        } else {
            on_disk(spool, move |spool| spool.kept(query)).await
        };
        let mut absent = result.clone();
        absent.pages.retain(|page| !kept.contains(&page.number));
        let promise = Some(result.clone());
        let mut pages = Self {
            client: client.clone(),
            site,
            query,
            spool: spool.clone(),
            promise,
            left: result.pages.iter().copied().collect(),
            kept,
            missing: client.pages(site, query, &absent, cancel.clone()),
            unkept: None,
            cancel,
        };
        // Else the first page that is kept takes it along.
        if pages.left.is_empty() {
            pages.keep_promise().await;
        }
        pages
    }

    /// The next page; `None` once all were handed on.
    ///
    /// # Errors
    /// When a page cannot be fetched or the work was cancelled.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, AttemptError> {
        let Some(page) = self.left.pop_front() else {
            return Ok(None);
        };
        if self.cancel.is_cancelled() {
            let task = format!(
                "fetching pages of query {} from site {}",
                self.query, self.site
            );
            return Err(RemoteError::new(Cause::Cancelled, task).into());
        }
        if self.kept.contains(&page.number) {
            let query = self.query;
            if let Some(page) = on_disk(&self.spool, move |spool| spool.read(query, page)).await {
                return Ok(Some(page));
            }
            // Torn or altered: rare enough to be fetched alone, while the missing ones are under way.
            let fetched = self.client.page(self.site, query, page).await?;
            return Ok(Some(self.keep(fetched).await));
        }
        match self.missing.next().await {
            Some(fetched) => Ok(Some(self.keep(fetched?).await)),
            None => Err(AttemptError::Internal(
                "the pages ended before the result did".to_owned(),
            )),
        }
    }

    /// The only page, where it is small and not kept: for whoever cannot publish its object now.
    pub(super) fn into_unkept(self) -> Option<Page> {
        self.unkept
    }

    async fn keep(&mut self, page: Page) -> Page {
        let (query, promise) = (self.query, self.promise.take());
        // Its page says all that the promise would.
        let only =
            promise.as_ref().is_some_and(|it| it.pages.len() == 1) && page.rows_declared.is_some();
        if only && page.size_bytes() <= UNKEPT_BYTES {
            self.unkept = Some(page.clone());
            return page;
        }
        on_disk(&self.spool, move |spool| {
            match promise {
                Some(_) if only => {
                    spool.keep_only(query, &page);
                    return page;
                }
                Some(promise) => spool.keep_result(query, &promise),
                None => {}
            }
            spool.keep(query, &page);
            page
        })
        .await
    }

    async fn keep_promise(&mut self) {
        let (query, promise) = (self.query, self.promise.take());
        on_disk(&self.spool, move |spool| {
            if let Some(promise) = promise {
                spool.keep_result(query, &promise);
            }
        })
        .await;
    }
}

/// Disk work on a thread where it may block.
pub(super) async fn on_disk<T: Send + 'static>(
    spool: &Spool,
    work: impl FnOnce(&Spool) -> T + Send + 'static,
) -> T {
    let spool = spool.clone();
    on_a_thread(move || work(&spool)).await
}
