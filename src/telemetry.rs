//! Logs: where they go and what their fields are called.
//!
//! A message reads alone; values are fields, each with one spelling, listed here. No field ever holds a row
//! value or a secret. Logs go to stderr, because stdout is data.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Names of log fields. `tracing` macros need them as literals; a test compares those with this list.
pub const FIELDS: [&str; 24] = [
    "action",
    "attempt",
    "attempts",
    "class",
    "duration_ms",
    "error",
    "extraction",
    "manifests",
    "page",
    "pages",
    "path",
    "pause",
    "planned",
    "query",
    "reason",
    "remote_query",
    "rows",
    "site",
    "size_bytes",
    "superseded",
    "uploads",
    "variant",
    "version",
    "window",
];

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// What libraries tell of themselves and nobody who runs the program asks for, unless the filter names them.
const QUIET: &str = "tokio_cron_scheduler=warn";

/// Starts logging to stderr, once per process. `filter` as in `info` or `halo_extract=debug,warn`; a filter
/// that cannot be read means `warn`.
pub fn start(filter: &str, format: LogFormat) {
    let filter =
        EnvFilter::try_new(format!("{QUIET},{filter}")).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first subscriber.
    let started = match format {
        LogFormat::Text => subscriber.with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    drop(started);
}
