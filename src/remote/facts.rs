//! Numbers and words of the remote API, each with where it is written.
//!
//! Sources: *spec* is the owner's OpenAPI file, version 26.619.10213; *docs* the pages of
//! docs.haloconnect.io; *gateway* Microsoft's documentation of Azure API Management, which stands in
//! front; *ours* a choice where nothing is published. All read on 2026-11-20. Nothing here was measured
//! on the real service.

use std::time::Duration;

/// Production address (spec, `servers`).
pub(crate) const PRODUCTION_URL: &str = "https://api.haloconnect.io";

/// Header that carries the subscription key on every request (spec, `securitySchemes`).
pub(crate) const KEY_HEADER: &str = "ocp-apim-subscription-key";

/// Longest time an asynchronous query may wait in the agent's queue (spec, `AsyncMaxTimeInQueue`).
pub(crate) const ASYNC_QUEUE_MOST: Duration = Duration::from_millis(7_200_000);

/// Longest time an immediate query may wait in the agent's queue (spec, `ImmediateMaxTimeInQueue`).
pub(crate) const IMMEDIATE_QUEUE_MOST: Duration = Duration::from_millis(60_000);

/// How long to listen for the answer of an immediate query: 60 s of queue, 60 s of execution (docs, SQL
/// passthrough overview) and a margin; who hangs up earlier abandons queries that still complete.
pub(crate) const IMMEDIATE_SILENCE: Duration = Duration::from_secs(130);

/// Largest answer to an immediate query: a result of 8 MB (docs, SQL passthrough overview) in base64,
/// with its envelope.
pub(crate) const IMMEDIATE_MOST_BYTES: usize = 12 << 20;

/// Largest status answer we read (ours): the page list of a result of about 100,000 pages, or of a batch.
pub(crate) const STATUS_MOST_BYTES: usize = 32 << 20;

/// Largest site answer we read (ours): some ten thousand sites.
pub(crate) const SITES_MOST_BYTES: usize = 16 << 20;

/// Largest part of an error answer we read (ours); what lies behind it tells nothing more.
pub(crate) const ERROR_MOST_BYTES: usize = 64 << 10;

/// Usual size of a result page, about 1 MB (docs, SQL passthrough overview), in base64.
pub(crate) const PAGE_USUAL_BYTES: usize = 3 << 19;

/// Most ids in one status question. The real maximum is not published (ours).
pub(crate) const BATCH_MOST_IDS: usize = 50;

/// Execution beyond this is a hanging agent, not a slow query: twice the five minutes that the agent
/// allows (docs, SQL passthrough overview), because immediate queries may interrupt it. The release notes
/// of 26.0518 describe asynchronous queries that never leave `executing`.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(600);

/// Requests in flight that one public production client allows itself; no limit is published.
pub(crate) const CALLS_IN_FLIGHT: usize = 8;
