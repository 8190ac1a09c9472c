//! Webhooks: signed notes that a query was successful, retried until somebody takes them.
//!
//! Facts: body, headers and signature as the documentation prints them; ten attempts over ninety minutes with
//! decorrelated jitter; each attempt has a fresh time stamp, because receivers refuse stale ones. Failures are
//! not announced. Backing off follows the simulated clock, the five seconds that a receiver has are real.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::cloud::Cloud;
use super::faults::{Fault, WebhookDefect};
use super::route::Endpoint;
use super::settings::Webhooks;
use super::site::Site;
use super::wire::WebhookBody;

/// What a webhook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Async,
    Registered,
}

impl Source {
    fn word(self) -> &'static str {
        match self {
            Source::Async => "async",
            Source::Registered => "registered",
        }
    }
}

/// Sends webhooks and remembers what became of them.
#[derive(Debug)]
pub(super) struct Postman {
    settings: Mutex<Webhooks>,
    secret: String,
    client: Option<reqwest::Client>,
    log: Mutex<Vec<Delivery>>,
    /// Those that wait until another one has gone.
    held: Mutex<Vec<Message>>,
}

/// One webhook to send.
#[derive(Debug, Clone)]
struct Message {
    url: String,
    body: WebhookBody,
    site: String,
}

/// What became of one webhook.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Delivery {
    pub(super) id: Uuid,
    pub(super) site: String,
    pub(super) query: Uuid,
    pub(super) source: &'static str,
    /// HTTP status of each attempt; 0 where there was no answer.
    pub(super) attempts: Vec<u16>,
    /// Whether it was taken, refused for good, or given up; absent while it is under way.
    pub(super) outcome: Option<&'static str>,
}

const ATTEMPTS: usize = 10;
const WINDOW: TimeDelta = TimeDelta::minutes(90);
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);
const ANSWER_TIME: Duration = Duration::from_secs(5);
const BEYOND_REPLAY: TimeDelta = TimeDelta::minutes(10);

impl Postman {
    /// Signs with the given secret, or with `fallback`.
    pub(super) fn new(settings: Webhooks, fallback: String) -> Postman {
        Postman {
            secret: settings.secret.clone().unwrap_or(fallback),
            settings: Mutex::new(settings),
            client: reqwest::Client::builder()
                .no_proxy()
                // Nothing says that redirects are followed; one counts as a refusal.
                .redirect(reqwest::redirect::Policy::none())
                .timeout(ANSWER_TIME)
                .build()
                .ok(),
            log: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// Sends to other addresses from now on.
    pub(super) fn readdress(&self, async_url: Option<String>, registered_url: Option<String>) {
        let mut settings = lock(&self.settings);
        settings.async_url = async_url;
        settings.registered_url = registered_url;
    }

    /// The key of the signatures, for a receiver under test.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// Every webhook so far.
    pub(super) fn log(&self) -> Vec<Delivery> {
        lock(&self.log).clone()
    }

    fn message(
        &self,
        source: Source,
        site: Uuid,
        pms_id: &str,
        query: Uuid,
        now: DateTime<Utc>,
    ) -> Option<Message> {
        let settings = lock(&self.settings);
        let template = match source {
            Source::Async => settings.async_url.as_ref(),
            Source::Registered => settings.registered_url.as_ref(),
        }?;
        let url = template
            .replace("{siteId}", &site.to_string())
            .replace("{queryId}", &query.to_string())
            .replace("{source}", source.word());
        let body = WebhookBody {
            id: Uuid::new_v4(),
            occurred_at: stamp(now),
            site_id: site,
            query_id: query,
            webhook_source: source.word(),
        };
        Some(Message {
            url,
            body,
            site: pms_id.to_owned(),
        })
    }

    /// One attempt; the HTTP status, or 0 when nothing came back.
    async fn attempt(&self, message: &Message, signed_at: DateTime<Utc>, secret: &str) -> u16 {
        let Some(client) = &self.client else { return 0 };
        let body = serde_json::to_string(&message.body).expect("a webhook body has only text");
        let timestamp = stamp(signed_at);
        let signature = signature(secret, &body, &timestamp);
        let request = client
            .post(&message.url)
            .header("Content-Type", "application/json")
            .header("X-Halo-Id", message.body.id.to_string())
            .header("X-Halo-Timestamp", timestamp)
            .header("X-Halo-Signature-256", signature)
            .body(body);
        request
            .send()
            .await
            .map_or(0, |answer| answer.status().as_u16())
    }

    fn note(&self, message: &Message, edit: impl FnOnce(&mut Delivery)) {
        let mut log = lock(&self.log);
        let known = log
            .iter()
            .position(|delivery| delivery.id == message.body.id);
        let index = known.unwrap_or_else(|| {
            log.push(Delivery {
                id: message.body.id,
                site: message.site.clone(),
                query: message.body.query_id,
                source: message.body.webhook_source,
                attempts: Vec::new(),
                outcome: None,
            });
            log.len() - 1
        });
        edit(&mut log[index]);
    }
}

/// Whether this webhook is to overtake the status endpoint.
pub(super) fn goes_early(cloud: &Cloud, site: &Site) -> bool {
    let early = |fault: &Fault| {
        matches!(
            fault,
            Fault::Webhook {
                defect: WebhookDefect::Early
            }
        )
        .then_some(())
    };
    cloud
        .faults
        .strike(
            cloud.clock.now(),
            Some(site.pms_id()),
            Endpoint::Webhook,
            early,
        )
        .is_some()
}

/// Announces a successful query where an address is set; returns when it was taken or given up.
pub(super) async fn announce(cloud: &Arc<Cloud>, site: &Site, query: Uuid, source: Source) {
    let now = cloud.clock.now();
    let guid = site.identity(&cloud.faults, now).guid;
    let Some(message) = cloud
        .postman
        .message(source, guid, site.pms_id(), query, now)
    else {
        return;
    };
    let defect =
        cloud.faults.strike(
            now,
            Some(site.pms_id()),
            Endpoint::Webhook,
            |fault| match fault {
                Fault::Webhook { defect } if *defect != WebhookDefect::Early => Some(*defect),
                _ => None,
            },
        );
    let round = async {
        send_with(cloud, message, defect, now).await;
        let held = std::mem::take(&mut *lock(&cloud.postman.held));
        if defect != Some(WebhookDefect::Reordered) {
            for message in held {
                deliver(cloud, &message).await;
            }
        } else {
            lock(&cloud.postman.held).extend(held);
        }
    };
    tokio::select! {
        () = round => {}
        () = cloud.shutdown.cancelled() => {}
    }
}

async fn send_with(
    cloud: &Cloud,
    message: Message,
    defect: Option<WebhookDefect>,
    now: DateTime<Utc>,
) {
    let postman = &cloud.postman;
    match defect {
        None | Some(WebhookDefect::Early) => deliver(cloud, &message).await,
        Some(WebhookDefect::Duplicate) => {
            deliver(cloud, &message).await;
            deliver(cloud, &message).await;
        }
        Some(WebhookDefect::Delayed) => {
            cloud.clock.sleep_until(now + BEYOND_REPLAY).await;
            deliver(cloud, &message).await;
        }
        Some(WebhookDefect::Stale) => {
            let status = postman
                .attempt(&message, now - BEYOND_REPLAY, &postman.secret)
                .await;
            postman.note(&message, |delivery| delivery.attempts.push(status));
        }
        Some(WebhookDefect::BadSignature) => {
            let status = postman.attempt(&message, now, "another key").await;
            postman.note(&message, |delivery| delivery.attempts.push(status));
        }
        Some(WebhookDefect::Reordered) => lock(&postman.held).push(message),
        Some(WebhookDefect::Lost) => postman.note(&message, |delivery| {
            delivery.outcome = Some("lost on purpose")
        }),
    }
}

/// Tries until the receiver takes or refuses it, or attempts and time are used up.
async fn deliver(cloud: &Cloud, message: &Message) {
    let postman = &cloud.postman;
    let give_up = cloud.clock.now() + WINDOW;
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        let status = postman
            .attempt(message, cloud.clock.now(), &postman.secret)
            .await;
        let outcome = settled(status);
        postman.note(message, |delivery| {
            delivery.attempts.push(status);
            delivery.outcome = outcome;
        });
        if outcome.is_some() {
            return;
        }
        wait = next_wait(wait, fastrand::f64());
        if attempt == ATTEMPTS || cloud.clock.now() >= give_up {
            break;
        }
        cloud.clock.sleep(wait).await;
    }
    postman.note(message, |delivery| delivery.outcome = Some("given up"));
}

/// What an answer means; `None` asks for another attempt.
fn settled(status: u16) -> Option<&'static str> {
    match status {
        200..=299 => Some("taken"),
        0 | 408 | 429 | 500..=599 => None,
        _ => Some("refused"),
    }
}

/// Decorrelated jitter: somewhere between the first wait and three times the last one.
fn next_wait(last: Duration, dice: f64) -> Duration {
    let span = (last * 3).saturating_sub(FIRST_WAIT);
    (FIRST_WAIT + span.mul_f64(dice)).min(LONGEST_WAIT)
}

/// Lower-case hexadecimal HMAC-SHA256 of body, a full stop and the time stamp.
fn signature(secret: &str, body: &str, timestamp: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Seven fractional digits and a numeric offset, as the documentation prints it.
fn stamp(at: DateTime<Utc>) -> String {
    format!(
        "{}.{:07}+00:00",
        at.format("%Y-%m-%dT%H:%M:%S"),
        at.timestamp_subsec_nanos() / 100
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_recipe() {
        let body = concat!(
            r#"{"id":"0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d","occurredAt":"2026-03-05T14:30:00.0000000+00:00","#,
            r#""siteId":"5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10","queryId":"c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42","#,
            r#""webhookSource":"async"}"#
        );

        // The expected value was computed apart from this code, with OpenSSL's HMAC.
        assert_eq!(
            signature("test-secret", body, "2026-03-05T14:30:02.1234567+00:00"),
            "ab561a66cacdf8a900efcb439397c624fd1bd9443dea6d1944e5e8fb792b1e37"
        );
    }

    #[test]
    fn only_a_taken_or_refused_webhook_is_settled() {
        assert_eq!(settled(204), Some("taken"));
        assert_eq!(settled(400), Some("refused"));
        assert_eq!(settled(503), None);
        assert_eq!(settled(429), None);
        assert_eq!(settled(0), None);
    }

    #[test]
    fn waits_stay_between_the_first_and_the_longest() {
        assert_eq!(next_wait(FIRST_WAIT, 0.0), FIRST_WAIT);
        assert_eq!(next_wait(FIRST_WAIT, 1.0), FIRST_WAIT * 3);
        assert_eq!(next_wait(LONGEST_WAIT, 1.0), LONGEST_WAIT);
    }

    #[test]
    fn a_time_stamp_has_seven_digits_and_an_offset() {
        let at = "2026-03-05T14:30:02.123456789Z".parse().unwrap();

        assert_eq!(stamp(at), "2026-03-05T14:30:02.1234567+00:00");
    }
}
