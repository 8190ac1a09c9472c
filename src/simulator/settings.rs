//! What a simulator is told at its start.
//!
//! The defaults are the documented limits of the service; where the sources disagree, the fact that the
//! default follows is named beside it. Times marked *simulated* follow the simulated clock.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Everything a simulator can be told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where practices come from.
    pub source: Source,
    /// Decides GUIDs, names, codes, the key and every random fault.
    pub seed: u64,
    /// A page closes before the row that would take it beyond this many bytes of row JSON.
    pub page_size_bytes: u64,
    /// How long each step of a query takes besides its real work.
    pub timings: Timings,
    /// The documented limits.
    pub limits: Limits,
    /// A TOML file of faults to begin with.
    pub scenario: Option<PathBuf>,
    /// The one accepted key; derived from the seed if `None`.
    pub subscription_key: Option<String>,
    /// Folder for the private folder of spooled pages; the system's temporary folder if `None`.
    pub spool: Option<PathBuf>,
    /// What the simulated clock shows at the start; the real time if `None`.
    pub start: Option<DateTime<Utc>>,
    /// Simulated seconds per real second; 0 stands still.
    pub clock_scale: f64,
    /// Whether every practice is paired from the start.
    pub paired: bool,
    /// Where webhooks go, if anywhere.
    pub webhooks: Webhooks,
}

/// Where practices come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder of table files: one site for each folder under its `sites/`. Without those, `practices` sites
    /// from `40001` that share the tables.
    Folder {
        /// The folder.
        dir: PathBuf,
        /// How many sites share the tables where the folder names no sites.
        practices: usize,
    },
    /// Practices invented from the seed.
    Generated {
        /// How many.
        practices: usize,
        /// Patients of each.
        patients: usize,
    },
}

/// How long the steps of a query take besides their real work; simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// From the submission until the site has it.
    pub initialise: Duration,
    /// Least time in the site's queue.
    pub queue: Duration,
    /// Added to the execution.
    pub execute: Duration,
    /// Upload of one page, one after the other.
    pub upload_page: Duration,
}

/// The documented limits of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An immediate query is answered 504 after this; documented as 60 s and, in samples, 30 s. Real time.
    pub immediate_answer: Duration,
    /// An immediate or registered query is stopped at the site after this. Real time.
    pub immediate_execution: Duration,
    /// An async query is stopped at the site after this. Real time, plus the simulated part of its timings.
    pub async_execution: Duration,
    /// Bytes of row JSON that an immediate or registered result may have.
    pub immediate_result_bytes: u64,
    /// How long results are kept; simulated.
    pub retention: Duration,
    /// Query ids in one batch status request.
    pub batch: usize,
    /// Bytes of a request body.
    pub request_bytes: usize,
    /// Registered queries at work per site.
    pub registered_per_site: usize,
    /// Life of a pairing code; simulated.
    pub pairing_code: Duration,
}

/// Where webhooks go. URLs may contain `{siteId}`, `{queryId}` and `{source}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// For async queries.
    pub async_url: Option<String>,
    /// For registered queries.
    pub registered_url: Option<String>,
    /// Key of the signatures; derived from the seed if `None`.
    pub secret: Option<String>,
}

impl Settings {
    /// Practices of `source` on a free port of this machine, with the documented limits and short timings.
    #[must_use]
    pub fn new(source: Source) -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            source,
            seed: 1,
            page_size_bytes: 1_000_000,
            timings: Timings::default(),
            limits: Limits::default(),
            scenario: None,
            subscription_key: None,
            spool: None,
            start: None,
            clock_scale: 1.0,
            paired: false,
            webhooks: Webhooks::default(),
        }
    }
}

impl Default for Timings {
    fn default() -> Self {
        Timings {
            initialise: Duration::from_millis(2),
            queue: Duration::from_millis(2),
            execute: Duration::ZERO,
            upload_page: Duration::from_micros(200),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            immediate_answer: Duration::from_secs(30),
            immediate_execution: Duration::from_secs(60),
            async_execution: Duration::from_secs(300),
            immediate_result_bytes: 8 * 1024 * 1024,
            retention: Duration::from_secs(24 * 3600),
            batch: 50,
            request_bytes: 8 * 1024 * 1024,
            registered_per_site: 10,
            pairing_code: Duration::from_secs(7 * 24 * 3600),
        }
    }
}
