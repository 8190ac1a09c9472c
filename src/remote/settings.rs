//! How the client reaches the API and how it behaves there: all that may be configured.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::breaker::BreakerRule;
use super::facts;
use super::retry::BackOff;

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
    /// Calls under way at once, over all sites, from 1.
    pub calls_in_flight: usize,
    /// Calls begun in a second, over all sites, from 1. The real limit is in the contract.
    pub calls_per_second: u32,
    /// Pause of all calls after the key was refused, or a quota was spent that does not say when it renews.
    pub key_rest: Duration,
    /// When a failing site is left alone.
    pub breaker: BreakerRule,
    /// Execution time after which a query counts as hanging.
    pub stuck_after: Duration,
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
            calls_in_flight: facts::CALLS_IN_FLIGHT,
            calls_per_second: 200,
            key_rest: Duration::from_secs(60),
            breaker: BreakerRule::default(),
            stuck_after: facts::STUCK_AFTER,
        }
    }
}

/// How long to wait for a remote query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Whether the query was posted only now, so that the first look waits for a pause as well.
    pub just_posted: bool,
    /// Pause before the second look; grows by half each time.
    pub poll_first: Duration,
    /// Longest pause.
    pub poll_most: Duration,
    /// Longest wait in all, by our own monotonic clock.
    pub deadline: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            just_posted: false,
            poll_first: Duration::from_secs(2),
            poll_most: Duration::from_secs(30),
            deadline: Duration::from_secs(2 * 3600 + 900),
        }
    }
}
