//! Receives the API's notices that a query has completed.
//!
//! A notice only makes the poller look sooner; nothing ever waits for one, because they come twice, late,
//! out of order or never, and never for a failure. Not for fetching results: a notice carries none.
//!
//! Invariants: nothing is believed before its signature is checked, over the raw bytes and in constant
//! time; the answer is given before any work is done; a fault of ours is answered with 5xx, because the
//! sender drops a notice for good after any other 4xx. Facts: docs, webhooks, as told by a third party in
//! July 2026, and the owner's blog post on webhooks; read on 2026-11-20.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::domain::{HaloGuid, RemoteQueryId};

use super::client::Client;
use super::wire::Loose;

/// Header with the time of sending, which is part of what is signed.
const TIMESTAMP_HEADER: &str = "x-halo-timestamp";

/// Header with the signature: lower-case hex of HMAC-SHA256 over body, a full stop and the timestamp.
const SIGNATURE_HEADER: &str = "x-halo-signature-256";

/// A notice sent longer ago is a replay; every delivery, retries included, is signed anew.
const REPLAY_WINDOW: TimeDelta = TimeDelta::minutes(5);

/// Real notices have a quarter of a kilobyte.
const NOTICE_MOST_BYTES: usize = 16 << 10;

/// The sender hangs up after five seconds, so there is no use in listening longer.
const LISTEN_MOST: Duration = Duration::from_secs(5);

/// Ids that are remembered to drop repeated notices. Older ones are forgotten, which costs one look.
const REMEMBERED: usize = 10_000;

/// A verified notice: a query of a site has completed, or so it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The notice's own id, the same in every delivery of it.
    pub id: Uuid,
    /// The site.
    pub site: HaloGuid,
    /// The query.
    pub query: RemoteQueryId,
    /// Whether it is a submitted query, not a registered one.
    pub is_async: bool,
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is missing or there twice.
    #[error("a notice came without its timestamp or its signature")]
    Unsigned,
    /// The signature does not fit.
    #[error("a notice came with a wrong signature; compare the webhook secret with Halo's")]
    Forged,
    /// It was sent too long ago, or its clock is ahead of ours.
    #[error("a notice came outside the replay window; check this machine's clock")]
    Stale,
    /// Well signed, but not in the form we know.
    #[error("a notice was signed well and cannot be read; check that this program is up to date")]
    Unreadable,
}

impl Refusal {
    /// 4xx drops the notice for good, 5xx has it sent again.
    fn status(self) -> StatusCode {
        match self {
            Self::Unsigned | Self::Forged => StatusCode::UNAUTHORIZED,
            Self::Stale => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Checks that a delivery comes from the API's owner and is fresh.
pub struct Verifier {
    mac: Hmac<Sha256>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NoticeBody {
    id: Loose,
    site_id: Loose,
    query_id: Loose,
    webhook_source: Loose,
}

impl Verifier {
    /// A verifier for the integrator's webhook secret, taken as UTF-8 bytes.
    #[must_use]
    pub fn new(secret: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        Self { mac }
    }

    /// The notice in a delivery.
    ///
    /// # Errors
    /// When it is not signed by the secret, not sent within five minutes of `now`, or not readable.
    pub fn verify(
        &self,
        timestamp: &str,
        signature: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Notice, Refusal> {
        let signature = read_hex(signature).ok_or(Refusal::Forged)?;
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.verify_slice(&signature).map_err(|_| Refusal::Forged)?;
        let sent = DateTime::parse_from_rfc3339(timestamp).map_err(|_| Refusal::Unreadable)?;
        if now.signed_duration_since(sent).abs() > REPLAY_WINDOW {
            return Err(Refusal::Stale);
        }
        read_notice(body).ok_or(Refusal::Unreadable)
    }
}

pub(super) fn read_notice(body: &[u8]) -> Option<Notice> {
    let body: NoticeBody = serde_json::from_slice(body).ok()?;
    Some(Notice {
        id: body.id.text()?.parse().ok()?,
        site: body.site_id.text()?.parse().ok()?,
        query: body.query_id.text()?.parse().ok()?,
        is_async: body.webhook_source.text().as_deref() == Some("async"),
    })
}

/// The 32 bytes of 64 hex digits.
fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(bytes)
}

/// Ids of notices that were handed on already.
#[derive(Default)]
struct Remembered {
    ids: HashSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Remembered {
    fn insert(&mut self, id: Uuid) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

/// Answers deliveries and hands each new notice on.
struct Receiver {
    verifier: Verifier,
    notices: mpsc::Sender<Notice>,
    remembered: Mutex<Remembered>,
}

impl Receiver {
    /// Answers one delivery. A notice counts as handed on once there is room for it in the channel.
    fn receive(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> StatusCode {
        let verified = match (
            single(headers, TIMESTAMP_HEADER),
            single(headers, SIGNATURE_HEADER),
        ) {
            (Some(timestamp), Some(signature)) => {
                self.verifier.verify(timestamp, signature, body, now)
            }
            _ => Err(Refusal::Unsigned),
        };
        match verified {
            Ok(notice) => self.hand_on(notice),
            Err(refusal) => {
                tracing::warn!("{refusal}");
                refusal.status()
            }
        }
    }

    fn hand_on(&self, notice: Notice) -> StatusCode {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let id = notice.id;
        if remembered.ids.contains(&id) {
            return StatusCode::NO_CONTENT;
        }
        if self.notices.try_send(notice).is_err() {
            tracing::warn!("no room for a notice; it will be sent again");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        remembered.insert(id);
        StatusCode::NO_CONTENT
    }
}

/// The one value of a header; a second one would leave open which was signed.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A router that takes deliveries under any path, since the address may hold site and query.
///
/// New notices go into `notices`; while it is full, deliveries are answered with 503 and come again.
pub fn router(verifier: Verifier, notices: mpsc::Sender<Notice>) -> Router {
    let receiver = Arc::new(Receiver {
        verifier,
        notices,
        remembered: Mutex::default(),
    });
    Router::new().fallback(deliver).with_state(receiver)
}

async fn deliver(State(receiver): State<Arc<Receiver>>, request: Request) -> StatusCode {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    match read_body(body).await {
        Ok(body) => receiver.receive(&head.headers, &body, Utc::now()),
        Err(status) => status,
    }
}

async fn read_body(body: Body) -> Result<Bytes, StatusCode> {
    tokio::time::timeout(LISTEN_MOST, to_bytes(body, NOTICE_MOST_BYTES))
        .await
        .map_err(|_| StatusCode::REQUEST_TIMEOUT)?
        // Too long for us, or broken off: no forgery as far as we can tell, so it may come again.
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// Takes deliveries on a listener of its own until `stop` is done, and answers those begun.
///
/// # Errors
/// When the listener fails.
pub async fn listen(
    listener: TcpListener,
    verifier: Verifier,
    notices: mpsc::Sender<Notice>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(verifier, notices))
        .with_graceful_shutdown(stop)
        .await
}

/// Wakes the client's pollers by notices until the channel closes.
pub async fn wake_by_notices(client: &Client, mut notices: mpsc::Receiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        client.wake(notice.site, notice.query);
    }
}

/// The key stays inside.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
