//! The pages of one result: fetched several at a time, handed on in order.
//!
//! Invariant: at most `pages_in_flight` pages are held here, under way or waiting to be taken, so memory
//! does not depend on the size of the result. Every fetch is a task owned by [`Pages`]; dropping it ends
//! them. After an error or a cancellation nothing more is handed on.

use std::collections::VecDeque;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{HaloGuid, RemoteQueryId};

use super::client::Client;
use super::error::{Cause, RemoteError};
use super::page::Page;
use super::status::{RemotePage, RemoteResult};

/// The pages of one result, in order.
pub struct Pages {
    client: Client,
    site: HaloGuid,
    query: RemoteQueryId,
    waiting: VecDeque<RemotePage>,
    under_way: VecDeque<AbortOnDropHandle<Result<Page, RemoteError>>>,
    in_flight: usize,
    cancel: CancellationToken,
    ended: bool,
}

impl Pages {
    pub(crate) fn new(
        client: Client,
        site: HaloGuid,
        query: RemoteQueryId,
        result: &RemoteResult,
        in_flight: usize,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            client,
            site,
            query,
            waiting: result.pages.iter().copied().collect(),
            under_way: VecDeque::new(),
            in_flight: in_flight.max(1),
            cancel,
            ended: false,
        }
    }

    /// The next page; `None` once all have been handed on, or after an error.
    ///
    /// # Errors
    /// When a page cannot be fetched, and when the token was cancelled: a cancelled result never ends as
    /// a shorter one.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the page is handed on by the next call.
    pub async fn next(&mut self) -> Option<Result<Page, RemoteError>> {
        if self.ended {
            return None;
        }
        self.start_fetches();
        let front = self.under_way.front_mut()?;
        let fetched = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(RemoteError::new(Cause::Cancelled, self.task())),
            joined = front => {
                self.under_way.pop_front();
                joined.unwrap_or_else(|error| match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(RemoteError::new(Cause::Cancelled, self.task())),
                })
            }
        };
        if fetched.is_err() {
            self.end();
        } else {
            self.start_fetches();
        }
        Some(fetched)
    }

    fn start_fetches(&mut self) {
        while self.under_way.len() < self.in_flight
            && let Some(page) = self.waiting.pop_front()
        {
            let (client, site, query) = (self.client.clone(), self.site, self.query);
            let fetch = async move { client.page(site, query, page).await };
            self.under_way
                .push_back(AbortOnDropHandle::new(tokio::spawn(fetch)));
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.waiting.clear();
        self.under_way.clear();
    }

    fn task(&self) -> String {
        format!(
            "fetching pages of query {} from site {}",
            self.query, self.site
        )
    }
}
