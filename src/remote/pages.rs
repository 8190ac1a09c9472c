//! The pages of one result: fetched several at a time, handed on in order.
//!
//! Invariant: at most `pages_in_flight` pages are held here, under way or waiting to be taken, so memory
//! does not depend on the size of the result. Every fetch is a task owned by [`Pages`]; dropping it ends
//! them. After an error or a cancellation nothing more is handed on.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{HaloGuid, RemoteQueryId};

use super::cause::Cause;
use super::client::{Client, not_offered};
use super::error::RemoteError;
use super::facts;
use super::failure::Operation;
use super::page::{Page, looks_whole};
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

impl Client {
    /// The pages of a result, fetched several at a time and handed on in order.
    #[must_use]
    pub fn pages(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        result: &RemoteResult,
        cancel: CancellationToken,
    ) -> Pages {
        let in_flight = self.0.settings.pages_in_flight;
        Pages::new(self.clone(), site, query, result, in_flight, cancel)
    }

    /// One page of a result that is ready.
    ///
    /// A page that was reported and is not found is asked for again after a short pause: the API's cache
    /// may lag behind its status.
    ///
    /// # Errors
    /// As any call; [`Cause::Gone`] when the result has expired.
    pub async fn page(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        page: RemotePage,
    ) -> Result<Page, RemoteError> {
        let back_off = &self.0.settings.back_off;
        for pause in [back_off.first, back_off.first * 2] {
            match self.page_if_there(site, query, page).await {
                Err(error) if error.http_status() == Some(404) => {
                    tokio::time::sleep(pause).await;
                }
                other => return other,
            }
        }
        self.page_if_there(site, query, page).await
    }

    /// One page, through `/stream` where it is offered, else in an envelope.
    async fn page_if_there(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        page: RemotePage,
    ) -> Result<Page, RemoteError> {
        if self.0.no_stream.load(Ordering::Relaxed) {
            return self.page_by(site, query, page, &[]).await;
        }
        match self.page_by(site, query, page, &["stream"]).await {
            // 404 may mean the page or the operation. The envelope tells which.
            Err(error) if not_offered(&error) => {
                let fetched = self.page_by(site, query, page, &[]).await?;
                self.0.no_stream.store(true, Ordering::Relaxed);
                Ok(fetched)
            }
            other => other,
        }
    }

    async fn page_by(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        page: RemotePage,
        tail: &[&str],
    ) -> Result<Page, RemoteError> {
        let (site_text, query_text) = (site.to_string(), query.to_string());
        let number = page.number.to_string();
        let mut path = vec![
            "sites",
            &site_text,
            "queries",
            &query_text,
            "results",
            &number,
        ];
        path.extend(tail);
        let mut call = self.call(
            Operation::Page,
            Method::GET,
            &path,
            format!("fetching page {number} of query {query} from site {site}"),
        );
        call.looks_whole = looks_whole;
        call.most_bytes = self.0.settings.page_most_bytes;
        call.usual_bytes = facts::PAGE_USUAL_BYTES.min(call.most_bytes);
        let answer = self.send(&call).await?;
        let header = header_count(&answer.headers, "rows-count");
        if let (Some(header), Some(listed)) = (header, page.rows)
            && header != listed
        {
            let fault = format!("its header declares {header} rows, the status {listed}");
            return Err(call.unreadable(&fault));
        }
        Ok(Page::new(page.number, header.or(page.rows), answer.body))
    }
}

fn header_count(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
