//! The operations of the API that we use, one method each.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{HaloGuid, PmsId, PmsType, RemoteQueryId};

use super::breaker::Leave;
use super::call::{Answer, Call};
use super::error::{Cause, RemoteError};
use super::facts;
use super::failure::Operation;
use super::immediate::{ImmediateResult, read_immediate};
use super::page::{Page, looks_whole};
use super::pages::Pages;
use super::poller::Look;
use super::retry::Repeat;
use super::settings::{Patience, Settings};
use super::site::{RemoteSite, SiteBody, SitesBody, pms_name};
use super::sites::{SiteMemory, Sites, Turn};
use super::statement::Statement;
use super::status::{BatchBody, Found, QueryBody, RemotePage, RemoteQuery, RemoteResult};
use super::transport::Transport;
use super::wait::{Step, Watch};

/// A client of the remote API for one subscription key. Clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    sites: Sites,
    settings: Settings,
    /// Set once the API has shown that it offers no `/stream`: then pages come in envelopes.
    no_stream: AtomicBool,
    /// Set once the API has shown that it offers no batch status: then each query is looked at alone.
    no_batch: AtomicBool,
}

impl Client {
    /// A client; no call is made.
    ///
    /// # Errors
    /// When the key is empty or cannot travel in a header, or the machine has no trusted certificates
    /// for an `https` address.
    pub fn new(settings: Settings) -> Result<Self, RemoteError> {
        Ok(Self(Arc::new(Inner {
            transport: Transport::new(&settings)?,
            sites: Sites::new(settings.breaker, settings.queries_per_site),
            settings,
            no_stream: AtomicBool::new(false),
            no_batch: AtomicBool::new(false),
        })))
    }

    /// Pairs our account with a site, by the id and code that the practice sent.
    ///
    /// The code is needed for Best Practice only. Pairing again is taken to be harmless.
    ///
    /// # Errors
    /// Among others [`Cause::PairingRefused`] for a wrong or expired code.
    pub async fn pair_site(
        &self,
        pms_id: &PmsId,
        pms_type: PmsType,
        code: Option<&SecretString>,
    ) -> Result<RemoteSite, RemoteError> {
        let mut call = self.call(
            Operation::Pair,
            Method::POST,
            &["pair-site"],
            format!("pairing with site id {pms_id}"),
        );
        let mut query = vec![
            ("practiceManagementSiteId", pms_id.as_str()),
            ("practiceManagementName", pms_name(pms_type)),
        ];
        if let Some(code) = code {
            query.push(("pairingCode", code.expose_secret()));
            call.secrets.push(code.expose_secret().to_owned());
        }
        set_query(&mut call.url, &query);
        call.repeat = Repeat::IfNothingHappened;
        let answer = self.send(&call).await?;
        read_site(&call, &answer)
    }

    /// The sites of this environment with a given id in the practice system; empty if there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_sites(
        &self,
        pms_id: &PmsId,
        pms_type: PmsType,
    ) -> Result<Vec<RemoteSite>, RemoteError> {
        let task = format!("looking up site id {pms_id}");
        let mut call = self.call(Operation::LookUp, Method::GET, &["sites"], task);
        set_query(
            &mut call.url,
            &[
                ("practiceManagementSiteId", pms_id.as_str()),
                ("practiceManagementName", pms_name(pms_type)),
            ],
        );
        let answer = self.send(&call).await?;
        let body: SitesBody = call.read_json(&answer)?;
        body.sites
            .unwrap_or_default()
            .into_iter()
            .map(|site| {
                site.into_site()
                    .ok_or_else(|| call.unreadable("a site has no id"))
            })
            .collect()
    }

    /// One site as it stands now.
    ///
    /// # Errors
    /// As any call; [`Cause::SiteUnknown`] if there is none.
    pub async fn site(&self, site: HaloGuid) -> Result<RemoteSite, RemoteError> {
        let call = self.call(
            Operation::LookUp,
            Method::GET,
            &["sites", &site.to_string()],
            format!("looking at site {site}"),
        );
        let answer = self.send(&call).await?;
        read_site(&call, &answer)
    }

    /// Submits a query and returns as soon as the API has accepted it.
    ///
    /// Never repeated when it may have been accepted: see
    /// [`may_have_been_accepted`](RemoteError::may_have_been_accepted).
    ///
    /// # Errors
    /// As any call.
    pub async fn submit(
        &self,
        site: HaloGuid,
        statement: &Statement,
    ) -> Result<RemoteQueryId, RemoteError> {
        let mut call = self.call(
            Operation::Submit,
            Method::POST,
            &["sites", &site.to_string(), "queries", "async"],
            format!("submitting a query to site {site}"),
        );
        call.body = Some(statement.to_async_body());
        call.success = StatusCode::CREATED;
        call.repeat = Repeat::IfNothingHappened;
        let memory = self.admit(site).await?;
        let sent = self.send(&call).await;
        let answer = sent.inspect_err(|error| memory.failed(error))?;
        let body: QueryBody = call.read_json(&answer)?;
        body.id()
            .ok_or_else(|| call.unreadable("the accepted query has no id"))
    }

    /// A remote query as it stands now.
    ///
    /// # Errors
    /// As any call; [`Cause::Gone`] if the API no longer knows it. A query that failed is no error here:
    /// see [`RemoteQuery::failure`].
    pub async fn status(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
    ) -> Result<RemoteQuery, RemoteError> {
        let call = self.call(
            Operation::Status,
            Method::GET,
            &["sites", &site.to_string(), "queries", &query.to_string()],
            format!("asking for the status of query {query} at site {site}"),
        );
        let answer = self.send(&call).await?;
        let body: QueryBody = call.read_json(&answer)?;
        body.into_query(query)
            .map_err(|fault| call.unreadable(fault))
    }

    /// Several remote queries of one site as they stand now, in the order asked; `None` for one that the
    /// API does not know.
    ///
    /// One call for fifty queries, or one for each where the API offers no batch status.
    ///
    /// # Errors
    /// As any call.
    pub async fn statuses(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut found = Vec::with_capacity(queries.len());
        for some in queries.chunks(facts::BATCH_MOST_IDS) {
            if self.0.no_batch.load(Ordering::Relaxed) {
                found.extend(self.statuses_one_by_one(site, some).await?);
                continue;
            }
            match self.statuses_in_a_batch(site, some).await {
                // Never "these queries are gone": that is said about each by its own.
                Err(error) if not_offered(&error) => {
                    found.extend(self.statuses_one_by_one(site, some).await?);
                    self.0.no_batch.store(true, Ordering::Relaxed);
                }
                batch => found.extend(batch?),
            }
        }
        Ok(found)
    }

    async fn statuses_one_by_one(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut found = Vec::with_capacity(queries.len());
        for query in queries {
            found.push((*query, self.look_at_one(site, *query).await?));
        }
        Ok(found)
    }

    async fn statuses_in_a_batch(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut call = self.call(
            Operation::Status,
            Method::POST,
            &["sites", &site.to_string(), "queries", "status"],
            format!(
                "asking for the status of {} queries at site {site}",
                queries.len()
            ),
        );
        call.body = Some(batch_body(queries));
        let answer = self.send(&call).await?;
        let body: BatchBody = call.read_json(&answer)?;
        read_batch(body, queries).map_err(|fault| call.unreadable(fault))
    }

    /// Waits until the result of a remote query can be fetched.
    ///
    /// Looks at short, then longer intervals, together with all who wait for the same site, and goes on
    /// looking through passing faults until the deadline, because the query goes on too.
    ///
    /// # Errors
    /// The failure that ended the query, [`Cause::Gone`], [`Cause::SiteStuck`], [`Cause::NotYetReady`] at
    /// the deadline, or [`Cause::Cancelled`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the looking; the remote query is not touched.
    pub async fn wait(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        patience: &Patience,
        cancel: &CancellationToken,
    ) -> Result<RemoteResult, RemoteError> {
        let task = format!("waiting for query {query} at site {site}");
        let memory = self.0.sites.of(site);
        let waited = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(RemoteError::new(Cause::Cancelled, task)),
            waited = self.watch(site, query, patience, task.clone()) => waited,
        };
        match &waited {
            Ok(_) => memory.succeeded(),
            Err(error) => memory.failed(error),
        }
        waited
    }

    async fn watch(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        patience: &Patience,
        task: String,
    ) -> Result<RemoteResult, RemoteError> {
        let deadline = Instant::now() + patience.deadline;
        let memory = self.0.sites.of(site);
        let mut seat = memory.poller.sit(query, patience);
        let mut watch = Watch::new(site, task, self.0.settings.stuck_after);
        loop {
            let look = seat.next_look(self, site);
            let Ok(look) = tokio::time::timeout_at(deadline, look).await else {
                return Err(watch.late());
            };
            match watch.judge(look, Instant::now()) {
                Step::Wait => {}
                Step::Ready(result) => return Ok(result),
                Step::Failed(error) if error.cause() == Cause::SiteStuck => {
                    return Err(error.with_link_version(self.link_version(site).await));
                }
                Step::Failed(error) => return Err(error),
            }
        }
    }

    /// Looks at a remote query that somebody waits for now instead of when it would be due.
    ///
    /// For a notice from outside, such as a webhook, which may come early, twice or never.
    pub fn wake(&self, site: HaloGuid, query: RemoteQueryId) {
        self.0.sites.of(site).poller.wake(query);
    }

    /// One look at several queries: one call where possible.
    pub(crate) async fn look(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> HashMap<RemoteQueryId, Look> {
        if let [query] = queries {
            return HashMap::from([(*query, self.look_at_one(site, *query).await)]);
        }
        match self.statuses(site, queries).await {
            Ok(found) => found
                .into_iter()
                .map(|(id, query)| (id, Ok(query)))
                .collect(),
            Err(error) => queries.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }

    async fn look_at_one(&self, site: HaloGuid, query: RemoteQueryId) -> Look {
        match self.status(site, query).await {
            Ok(query) => Ok(Some(query)),
            Err(error) if error.cause() == Cause::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The version of the agent, for an error; that it cannot be told is not worth another error.
    async fn link_version(&self, site: HaloGuid) -> Option<String> {
        self.site(site).await.ok()?.link_version
    }

    /// Waits for leave to have a query at work at a site; see [`Turn`].
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the line.
    pub async fn turn(&self, site: HaloGuid) -> Turn {
        self.0.sites.of(site).turn().await
    }

    /// Lets a query through to a site unless its breaker is open; probes the site when its rest is over.
    async fn admit(&self, site: HaloGuid) -> Result<Arc<SiteMemory>, RemoteError> {
        let memory = self.0.sites.of(site);
        match memory.ask() {
            Leave::Ask => {}
            Leave::Rest(left) => {
                return Err(
                    RemoteError::new(Cause::SiteResting, asking(site)).with_retry_after(Some(left))
                );
            }
            Leave::Probe => {
                let seen = self.site(site).await?;
                if !seen.can_be_asked() {
                    let error = RemoteError::new(Cause::SiteOffline, asking(site));
                    memory.failed(&error);
                    return Err(error.with_link_version(seen.link_version));
                }
                memory.looks_well();
            }
        }
        Ok(memory)
    }

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

    /// Asks a small question and has the rows in the answer; at most 8 MB.
    ///
    /// # Errors
    /// As any call; a failed statement, whether or not the API calls it a success.
    pub async fn immediate(
        &self,
        site: HaloGuid,
        statement: &Statement,
    ) -> Result<ImmediateResult, RemoteError> {
        let mut call = self.call(
            Operation::Immediate,
            Method::POST,
            &["sites", &site.to_string(), "queries", "immediate"],
            format!("an immediate query at site {site}"),
        );
        call.body = Some(statement.to_immediate_body());
        call.silence = facts::IMMEDIATE_SILENCE;
        call.most_bytes = facts::IMMEDIATE_MOST_BYTES;
        let memory = self.admit(site).await?;
        let sent = self.send(&call).await;
        let result = sent
            .and_then(|answer| read_immediate(&call, &answer))
            .inspect_err(|error| memory.failed(error))?;
        memory.succeeded();
        Ok(result)
    }

    fn call(&self, operation: Operation, method: Method, path: &[&str], task: String) -> Call {
        let settings = &self.0.settings;
        let mut url = settings.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("integrator").extend(path);
        }
        Call {
            task,
            operation,
            method,
            url,
            body: None,
            repeat: Repeat::Freely,
            success: StatusCode::OK,
            silence: settings.read_timeout,
            most_bytes: match operation {
                Operation::Status => facts::STATUS_MOST_BYTES,
                _ => facts::SITES_MOST_BYTES,
            },
            usual_bytes: 4 << 10,
            looks_whole: |_| true,
            secrets: vec![settings.key.expose_secret().to_owned()],
        }
    }

    async fn send(&self, call: &Call) -> Result<Answer, RemoteError> {
        self.0.transport.send(call).await
    }
}

/// Whether an answer may mean that the API has no such operation.
fn not_offered(error: &RemoteError) -> bool {
    matches!(error.http_status(), Some(404 | 405 | 501))
}

fn asking(site: HaloGuid) -> String {
    format!("asking site {site}")
}

/// Sets the query part, blanks as `%20`: form encoding's `+` is not understood everywhere.
fn set_query(url: &mut Url, pairs: &[(&str, &str)]) {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    // A plus sign in a value is `%2B` by now, so every remaining one is a blank.
    url.set_query(Some(&form.replace('+', "%20")));
}

fn header_count(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn read_site(call: &Call, answer: &Answer) -> Result<RemoteSite, RemoteError> {
    let body: SiteBody = call.read_json(answer)?;
    body.into_site()
        .ok_or_else(|| call.unreadable("the site has no id"))
}

#[derive(Serialize)]
struct BatchQuestion {
    #[serde(rename = "queryIds")]
    query_ids: Vec<RemoteQueryId>,
}

fn batch_body(queries: &[RemoteQueryId]) -> Vec<u8> {
    let question = BatchQuestion {
        query_ids: queries.to_vec(),
    };
    serde_json::to_vec(&question).expect("identifiers always serialise")
}

/// Puts the answers into the order asked; a query that is not mentioned makes the answer unreadable,
/// because "not found" would have us ask the practice again.
fn read_batch(
    body: BatchBody,
    queries: &[RemoteQueryId],
) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, &'static str> {
    let mut found = HashMap::new();
    for item in body.results.unwrap_or_default() {
        let (id, query) = item.into_parts()?;
        let query = match query {
            Found::Query(query) => Some(query.into_query(id)?),
            Found::Nothing => None,
        };
        found.insert(id, query);
    }
    queries
        .iter()
        .map(|id| {
            let query = found
                .get(id)
                .ok_or("a batch status leaves out a query that was asked for")?;
            Ok((*id, query.clone()))
        })
        .collect()
}

/// The address only: the key is nobody's to see.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.settings.base_url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
