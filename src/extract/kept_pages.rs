//! The pages of one result in order: those in the spool from there, the others from the API.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::domain::{HaloGuid, RemoteQueryId};
use crate::remote::{Cause, Client, Page, Pages, RemoteError, RemotePage, RemoteResult};

use super::engine::{lock, on_a_thread};
use super::error::AttemptError;
use super::spool::{Kept, Spool};

/// A result of no more than one page up to this size waits in memory and is kept only once its object could not be
/// published: to write and remove a file was much of what it cost, and fetching one page again costs one call.
const UNKEPT_BYTES: usize = 64 << 10;

/// The pages of one result, in order. Each page that is fetched is kept before it is handed on, unless it is the only
/// one and small.
pub(super) struct KeptPages {
    client: Client,
    site: HaloGuid,
    query: RemoteQueryId,
    kept: Arc<Mutex<Kept>>,
    left: VecDeque<RemotePage>,
    /// The pages that are not in the spool.
    missing: Pages,
    is_only: bool,
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
            spool.begin(query, result.clone())
        } else {
            let result = result.clone();
            on_disk(spool, move |spool| spool.resume(query, result)).await
        };
        let mut absent = result.clone();
        absent.pages.retain(|page| !kept.has(page.number));
        Self {
            client: client.clone(),
            site,
            query,
            kept: Arc::new(Mutex::new(kept)),
            left: result.pages.iter().copied().collect(),
            missing: client.pages(site, query, &absent, cancel.clone()),
            is_only: result.pages.len() <= 1,
            unkept: None,
            cancel,
        }
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
        if lock(&self.kept).has(page.number) {
            let read = on_kept(&self.kept, move |kept| kept.read(page)).await;
            if let Some(page) = read {
                return Ok(Some(page));
            }
            // Torn or altered: rare enough to be fetched alone, while the missing ones are under way.
            let fetched = self.client.page(self.site, self.query, page).await?;
            return Ok(Some(self.keep(fetched).await));
        }
        match self.missing.next().await {
            Some(fetched) => Ok(Some(self.keep(fetched?).await)),
            None => Err(AttemptError::Internal(
                "the pages ended before the result did".to_owned(),
            )),
        }
    }

    /// Keeps what only waits in memory, for the next try: its object cannot be published now.
    pub(super) async fn keep_what_waits(self) {
        let only = self.unkept;
        on_kept(&self.kept, move |kept| match only {
            Some(page) => kept.keep(&page),
            None => kept.keep_promise(),
        })
        .await;
    }

    /// Removes what is kept: its object is published. The room on disk comes back beside.
    pub(super) async fn remove(self) {
        let kept = self.kept;
        if lock(&kept).is_nothing() {
            return;
        }
        on_kept(&kept, |kept| kept.remove()).await;
        drop(tokio::task::spawn_blocking(move || drop(kept)));
    }

    async fn keep(&mut self, page: Page) -> Page {
        if self.is_only && page.size_bytes() <= UNKEPT_BYTES {
            self.unkept = Some(page.clone());
            return page;
        }
        on_kept(&self.kept, move |kept| {
            kept.keep(&page);
            page
        })
        .await
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

async fn on_kept<T: Send + 'static>(
    kept: &Arc<Mutex<Kept>>,
    work: impl FnOnce(&mut Kept) -> T + Send + 'static,
) -> T {
    let kept = Arc::clone(kept);
    on_a_thread(move || work(&mut lock(&kept))).await
}
