//! The operations of the API that we use, one method each.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::domain::{HaloGuid, PmsId, PmsType, RemoteQueryId};

use super::call::{Answer, Call};
use super::error::{Cause, RemoteError};
use super::facts;
use super::failure::{ErrorDetails, Operation, Told, cause_of_query, discreet};
use super::page::{Page, PageRows};
use super::pages::Pages;
use super::retry::{BackOff, Repeat};
use super::site::{RemoteSite, SiteBody, SitesBody, pms_name};
use super::statement::Statement;
use super::status::{BatchBody, Found, QueryBody, RemotePage, RemoteQuery, RemoteResult};
use super::wire::Loose;

/// How the client reaches the API and how it behaves there.
///
/// ```
/// use halo_extract::remote::{Client, Settings};
///
/// let settings = Settings {
///     key: "not-a-real-key".into(),
///     base_url: "http://127.0.0.1:8080".parse().unwrap(),
///     ..Settings::default()
/// };
/// let client = Client::new(settings).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address under which the API's paths lie. Plain `http` is for the simulator.
    pub base_url: Url,
    /// The subscription key; has no usable default.
    pub key: SecretString,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence while an answer is awaited or read; immediate queries have a longer one of their own.
    pub read_timeout: Duration,
    /// Pages of one result that are held at once, from 1.
    pub pages_in_flight: usize,
    /// Tries of one call, from 1.
    pub max_attempts: u32,
    /// Pauses between them.
    pub back_off: BackOff,
    /// Largest page that is accepted, in bytes after decompression. Pages are about 1 MB, but a single
    /// row, for example with a scanned document, is never split.
    pub page_most_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: Url::parse(facts::PRODUCTION_URL).expect("a constant that parses"),
            key: SecretString::from(""),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            pages_in_flight: 4,
            max_attempts: 4,
            back_off: BackOff::default(),
            page_most_bytes: 64 << 20,
        }
    }
}

/// How long to wait for a remote query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Pause after the first look; grows by half each time.
    pub poll_first: Duration,
    /// Longest pause.
    pub poll_most: Duration,
    /// Longest wait in all, by our own monotonic clock.
    pub deadline: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            poll_first: Duration::from_secs(2),
            poll_most: Duration::from_secs(30),
            deadline: Duration::from_secs(2 * 3600 + 900),
        }
    }
}

/// The answer to an immediate query.
#[derive(Debug)]
pub struct ImmediateResult {
    /// Rows, as declared.
    pub rows: u64,
    /// The rows themselves.
    pub body: PageRows,
}

/// A client of the remote API for one subscription key. Clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    settings: Settings,
    /// Set once the API has shown that it offers no `/stream`: then pages come in envelopes.
    no_stream: AtomicBool,
}

impl Client {
    /// A client; no call is made.
    ///
    /// # Errors
    /// When the key is empty or cannot travel in a header, or the machine has no trusted certificates
    /// for an `https` address.
    pub fn new(settings: Settings) -> Result<Self, RemoteError> {
        let http = build_http(&settings)?;
        Ok(Self(Arc::new(Inner {
            http,
            settings,
            no_stream: AtomicBool::new(false),
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
        let answer = self.send(&call).await?;
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
    /// # Errors
    /// As any call.
    pub async fn statuses(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut found = Vec::with_capacity(queries.len());
        for some in queries.chunks(facts::BATCH_MOST_IDS) {
            found.extend(self.some_statuses(site, some).await?);
        }
        Ok(found)
    }

    async fn some_statuses(
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
    /// Looks at short, then longer intervals, and goes on looking through passing faults until the
    /// deadline, because the query goes on too.
    ///
    /// # Errors
    /// The failure that ended the query, [`Cause::Gone`], [`Cause::NotYetReady`] at the deadline, or
    /// [`Cause::Cancelled`].
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
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(RemoteError::new(Cause::Cancelled, task)),
            result = self.poll(site, query, patience, &task) => result,
        }
    }

    async fn poll(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        patience: &Patience,
        task: &str,
    ) -> Result<RemoteResult, RemoteError> {
        let start = Instant::now();
        let mut pause = patience.poll_first;
        loop {
            let problem = match self.status(site, query).await {
                Ok(seen) => match seen.failure(site) {
                    Some(failure) => return Err(failure),
                    None if seen.is_ready() => {
                        return seen
                            .result
                            .ok_or_else(|| RemoteError::new(Cause::Unreadable, task));
                    }
                    None => None,
                },
                Err(error) if passes(&error) => Some(error),
                Err(error) => return Err(error),
            };
            let left = patience.deadline.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(problem.unwrap_or_else(|| RemoteError::new(Cause::NotYetReady, task)));
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = pause.mul_f64(1.5).min(patience.poll_most);
        }
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

    /// One page, through `/stream` where it is offered, else in an envelope.
    ///
    /// # Errors
    /// As any call; [`Cause::Gone`] when the result has expired.
    pub async fn page(
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
            Err(error) if matches!(error.http_status(), Some(404 | 405 | 501)) => {
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
        let answer = self.send(&call).await?;
        read_immediate(&call, &answer)
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
            secrets: vec![settings.key.expose_secret().to_owned()],
        }
    }

    async fn send(&self, call: &Call) -> Result<Answer, RemoteError> {
        let Settings {
            back_off,
            max_attempts,
            ..
        } = &self.0.settings;
        call.send(&self.0.http, back_off, *max_attempts).await
    }
}

/// Whether a failed look at a query says nothing about the query.
fn passes(error: &RemoteError) -> bool {
    matches!(
        error.cause(),
        Cause::NotReached
            | Cause::Unanswered
            | Cause::CutShort
            | Cause::ApiFailed
            | Cause::RateLimited
            | Cause::SiteOffline
            | Cause::SiteLost
    )
}

fn build_http(settings: &Settings) -> Result<reqwest::Client, RemoteError> {
    let wrong = |said: &str| {
        RemoteError::new(Cause::Misconfigured, "setting up the remote client")
            .with_said(said.to_owned())
    };
    let key = settings.key.expose_secret().trim();
    if key.is_empty() {
        return Err(wrong(
            "the subscription key is empty; set `HALO_SUBSCRIPTION_KEY`",
        ));
    }
    let mut key = HeaderValue::from_str(key)
        .map_err(|_| wrong("the subscription key holds characters that no header can carry"))?;
    key.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(facts::KEY_HEADER), key);
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("halo-extract/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        // A redirect would carry the key to wherever it points.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.connect_timeout)
        .gzip(true);
    match settings.base_url.scheme() {
        // No certificate is needed, so a machine without any must not be refused.
        "http" => builder = builder.tls_certs_only([]),
        "https" => {}
        _ => return Err(wrong("the address must begin with https:// or http://")),
    }
    if is_loopback(&settings.base_url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| {
        wrong("no TLS connection is possible; are the system's CA certificates installed?")
            .with_source(error.without_url())
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
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
    let mut found = std::collections::HashMap::new();
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

/// The answer to an immediate query (spec, schemas `SuccessfulImmediateQuery` and `ImmediateQuery`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ImmediateBody {
    status: Loose,
    result: Option<ImmediateResultBody>,
    error_details: Option<ErrorDetails>,
    error_code: Loose,
    error_message: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ImmediateResultBody {
    rows: Loose,
    data: Loose,
}

/// A 200 counts only with `successful`: until release 23.927 failures came as 200 too.
fn read_immediate(call: &Call, answer: &Answer) -> Result<ImmediateResult, RemoteError> {
    let body: ImmediateBody = call.read_json(answer)?;
    let status = body.status.text();
    if status.as_deref() != Some("successful") {
        let told = Told::of_query(body.error_details, body.error_code, body.error_message);
        if status.as_deref() != Some("executionFailed") && told == Told::default() {
            return Err(call.unreadable("the answer is neither a success nor a failure"));
        }
        let said = told
            .message
            .as_deref()
            .map(|message| discreet(message, &[]));
        return Err(RemoteError::new(cause_of_query(&told), &call.task)
            .with_status(call.success.as_u16())
            .with_said(said)
            .with_sql_number(told.sql_number()));
    }
    let result = body
        .result
        .ok_or_else(|| call.unreadable("a successful query tells no result"))?;
    let rows = result
        .rows
        .count()
        .ok_or_else(|| call.unreadable("a successful query tells no row count"))?;
    let body = PageRows::of_base64(&result.data.text().unwrap_or_default())
        .map_err(|fault| call.unreadable(fault))?;
    if rows > 0 && body.is_bare() {
        return Err(call.unreadable("it declares rows and brings none"));
    }
    Ok(ImmediateResult { rows, body })
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
