//! A stand-in for Halo Cloud that anyone can develop against without a subscription.
//!
//! It speaks the API's HTTP and runs real T-SQL over practice databases that it generates or loads. It is
//! built from the published facts alone and uses nothing else of this crate: the client must not be able
//! to agree with it on a misreading.

mod access;
mod answer;
mod asynchronous;
mod clock;
mod cloud;
mod commands;
mod control;
mod counters;
pub mod data;
pub mod engine;
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
pub use ready::{Ready, ReadySite};
pub use scenario::ScenarioError;
pub use server::{Simulator, StartError};
pub use settings::{Limits, Settings, Source, Timings, Webhooks};
