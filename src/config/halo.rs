//! `[halo]`: the remote API.

use std::time::Duration;

use url::Url;

use crate::domain::Environment;

use super::{Layers, Secret};

const PRODUCTION_URL: &str = "https://api.haloconnect.io";
const STAGING_URL: &str = "https://api.stage.haloconnect.io";

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// How the remote API is reached and waited for.
#[derive(Debug, Clone)]
pub struct Halo {
    /// Base address; `None` for the simulator, which has no fixed one.
    pub url: Option<Url>,
    /// Where the subscription key is found.
    pub subscription_key: Secret,
    /// How long a query may wait at the practice before it runs; at most 2 hours.
    pub max_time_in_queue: Duration,
    /// How long a remote query is waited for, queue included.
    pub query_deadline: Duration,
    /// First pause between two looks at a remote query.
    pub poll_first: Duration,
    /// Longest pause between two looks.
    pub poll_longest: Duration,
    /// Pages fetched side by side for one extraction.
    pub pages_in_flight: u32,
    /// Bytes of fetched pages that are kept on disk for resuming; 0 for none.
    pub spool_most_bytes: u64,
    /// Execution time after which a query counts as hanging at the practice.
    pub stuck_after: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes of an answer.
    pub read_timeout: Duration,
}

impl Halo {
    pub(super) fn read(layers: &mut Layers, environment: Environment) -> Self {
        let url = match (layers.string("halo.url").as_str(), environment) {
            ("", Environment::Production) => Url::parse(PRODUCTION_URL).ok(),
            ("", Environment::Staging) => Url::parse(STAGING_URL).ok(),
            ("", Environment::Simulator) => None,
            _ => layers.text("halo.url"),
        };
        Self {
            url,
            subscription_key: Secret::setting(layers, "halo.subscription_key"),
            max_time_in_queue: layers.duration("halo.max_time_in_queue", SECOND..=2 * HOUR),
            query_deadline: layers.duration("halo.query_deadline", SECOND..=24 * HOUR),
            poll_first: layers.duration("halo.poll_first", Duration::from_millis(10)..=HOUR),
            poll_longest: layers.duration("halo.poll_longest", Duration::from_millis(10)..=HOUR),
            pages_in_flight: layers.count("halo.pages_in_flight", 1..=64),
            spool_most_bytes: layers.size_bytes("halo.spool_limit"),
            stuck_after: layers.duration("halo.stuck_after", SECOND..=24 * HOUR),
            connect_timeout: layers
                .duration("halo.connect_timeout", Duration::from_millis(100)..=HOUR),
            read_timeout: layers.duration("halo.read_timeout", Duration::from_millis(100)..=HOUR),
        }
    }
}
