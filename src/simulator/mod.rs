//! A stand-in for Halo Cloud that anyone can develop against without a subscription.
//!
//! It speaks the API's HTTP and runs real T-SQL over practice databases that it generates or loads. It is
//! built from the published facts alone and uses nothing else of this crate: the client must not be able
//! to agree with it on a misreading. Not for production data: its control endpoint asks for no key.
//!
//! ```text
//! request ─► answer ─► access ─► pairing · immediate · asynchronous · pages · registered ─► reply
//!               │ faults, counters                 │ link: one command at a time per practice
//!               ▼                                  ▼
//!            control                     engine ─ row ─► spool ─ page ─► client
//! ```
//!
//! # Time
//!
//! Every time stamp and timer follows a clock of its own that can be scaled and stepped, so that a retention of
//! a day or a night without a practice server takes a moment. Only what is really done takes real time: the
//! work of the database with its limit, and the answer of a webhook's receiver. While the clock stands still,
//! the steps of a query take no time at all, so that work goes on.
//!
//! # Faults
//!
//! A scenario file (`config/scenarios`) or the control endpoint puts rules in force. A rule is a fault with a
//! selection: `sites`, `endpoints`, `after` and `lasts` (simulated time), `skip`, `times`, `chance`.
//!
//! | about | kinds |
//! |---|---|
//! | the site | `offline` `unreachable` `closed` `dies_after_dispatch` `stuck_channel` `moved` `merged` `renamed` `removed` `uninstalled` `link_version` `clock_skew` |
//! | access | `key_refused` `ip_refused` `unpaired` `shown_unpaired` `pairing` `login_failed` `quota` `rate_limit` |
//! | any request | `http` `lost` `cut` `delay` `error_envelope` `wire` |
//! | immediate queries | `timeout` `too_large` `failure_in_success` |
//! | queries at work | `outcome` `sql_error` `stuck` `early_pages` `late_pages` `gone` `zero_rows` `lost_row` `page_size` `wide_row` |
//! | what is left open | `registered_limits` `answer_limit` `batch_limit` |
//! | webhooks | `webhook` with a `defect`: `duplicate` `reordered` `delayed` `stale` `bad_signature` `early` `lost` |
//!
//! A 504 on purpose comes at once; add a `delay` where the wait itself matters. An async query that reads is
//! interrupted by an immediate one and begins again after it, still `executing`; one that writes is not.
//!
//! # Control
//!
//! | request below `/simulator` | does |
//! |---|---|
//! | `GET ready` | what the simulator printed at its start |
//! | `GET counters` · `DELETE counters` | requests by site, endpoint and answer · starts from nothing |
//! | `GET queries` | every immediate and async query with the fetches of its pages |
//! | `GET clock` · `POST clock {"step":"1d","scale":60}` | the simulated time · moves it |
//! | `GET faults` · `POST faults {…}` · `DELETE faults` · `DELETE faults/ID` | the rules, written as in a scenario |
//! | `POST scenario` (TOML) | replaces every rule by those of a scenario |
//! | `POST sites/PMS_ID/pairing-code` · `POST sites/PMS_ID/unpair` | what a practice can do on its screen |
//! | `GET webhooks` · `PUT webhooks {"async_url":…,"registered_url":…}` | deliveries so far · where they go |
//!
//! Endpoints are named `pair`, `sites`, `site`, `immediate`, `async`, `status`, `status_batch`, `page`, `stream`,
//! `registered_create`, `registered_list`, `registered_show`, `registered_results`, `registered_cancel`; rules
//! can also name `registered_run` and `webhook`, which are not requests, and counters `no_operation`. A rule that
//! names an endpoint where its fault cannot strike is refused.

mod access;
mod answer;
mod asynchronous;
mod clock;
mod cloud;
mod commands;
mod control;
mod counters;
pub mod data;
mod execution;
mod faults;
mod fleet;
mod immediate;
mod liberties;
mod link;
mod pages;
mod pairing;
pub mod practice;
mod queries;
mod ready;
mod refusal;
mod registered;
mod reply;
mod route;
mod scenario;
mod server;
mod settings;
mod site;
mod spool;
mod stretch;
mod webhooks;
mod wire;

pub use fleet::FleetError;
pub use halo_extract_engine as engine;
pub use ready::{Ready, ReadySite};
pub use scenario::ScenarioError;
pub use server::{Simulator, StartError};
pub use settings::{Limits, Settings, Source, Timings, Webhooks};
