//! Whether a caller may ask at all: key, address, rate and quota. The gateway's part of the service.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

use super::cloud::Cloud;
use super::faults::Fault;
use super::refusal::{Envelope, Refusal};
use super::route::Endpoint;

/// Calls so far in the windows that quota and rate are counted in.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// By length of the window in seconds: its number since 1970, and the calls in it.
    windows: Mutex<HashMap<u64, (u64, u64)>>,
}

const DAY: u64 = 86_400;

impl Usage {
    /// Counts a call in the window of this length; returns the calls in it and the seconds that remain of it.
    fn count(&self, length: u64, now: DateTime<Utc>) -> (u64, u64) {
        let second = u64::try_from(now.timestamp()).unwrap_or(0);
        let window = second / length;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, calls) = windows.entry(length).or_insert((window, 0));
        if *current != window {
            (*current, *calls) = (window, 0);
        }
        *calls += 1;
        (*calls, (window + 1) * length - second)
    }
}

/// Checks the caller of one request.
pub(super) fn check(
    cloud: &Cloud,
    parts: &Parts,
    site: Option<&str>,
    endpoint: Endpoint,
) -> Result<(), Refusal> {
    let now = cloud.clock.now();
    check_key(cloud, parts)?;
    let met = cloud
        .faults
        .strike(now, site, endpoint, |fault| match fault {
            Fault::KeyRefused => Some(Refusal::unauthorised(INVALID_KEY)),
            Fault::IpRefused => {
                Some(Refusal::forbidden("Caller Ip Not Allowed").shaped(Envelope::Gateway))
            }
            Fault::Quota { calls } => over_quota(cloud, *calls, now),
            Fault::RateLimit { calls, seconds } => over_rate(cloud, *calls, (*seconds).max(1), now),
            _ => None,
        });
    met.map_or(Ok(()), Err)
}

const MISSING_KEY: &str = "Access denied due to missing subscription key. Make sure to include subscription key when \
                           making requests to an API.";
const INVALID_KEY: &str = "Access denied due to invalid subscription key. Make sure to provide a valid key for an \
                           active subscription.";

/// The header counts; older documentation also allows a query parameter.
fn check_key(cloud: &Cloud, parts: &Parts) -> Result<(), Refusal> {
    let header = parts.headers.get("Ocp-Apim-Subscription-Key");
    let given = match header {
        Some(value) => Some(value.to_str().unwrap_or_default().to_owned()),
        None => parameter(parts, "subscription-key"),
    };
    match given {
        None => Err(Refusal::unauthorised(MISSING_KEY)),
        Some(key) if key == cloud.key => Ok(()),
        Some(_) => Err(Refusal::unauthorised(INVALID_KEY)),
    }
}

/// A query parameter of the request, decoded.
pub(super) fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query()?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn over_quota(cloud: &Cloud, allowed: u64, now: DateTime<Utc>) -> Option<Refusal> {
    let (calls, remaining) = cloud.usage.count(DAY, now);
    let (hours, minutes, seconds) = (remaining / 3600, remaining / 60 % 60, remaining % 60);
    let message = format!(
        "Out of call volume quota. Quota will be replenished in {hours:02}:{minutes:02}:{seconds:02}."
    );
    (calls > allowed).then(|| {
        Refusal::forbidden(message)
            .shaped(Envelope::Gateway)
            .retry_after(remaining)
    })
}

fn over_rate(cloud: &Cloud, allowed: u64, length: u64, now: DateTime<Utc>) -> Option<Refusal> {
    let (calls, remaining) = cloud.usage.count(length, now);
    let message = format!("Rate limit is exceeded. Try again in {remaining} seconds.");
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, message);
    (calls > allowed).then(|| refusal.shaped(Envelope::Gateway).retry_after(remaining))
}
