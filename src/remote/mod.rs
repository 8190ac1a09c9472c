//! The client of the remote API: a practice's database, asked over HTTPS.
//!
//! For: pairing and looking up sites, submitting statements, waiting for them and fetching their pages,
//! with errors that say who can mend them. Not for: deciding what to ask or when to come back
//! (`schedule`, `plan`), nor for what rows mean (`convert`).
//!
//! Invariants: a statement can only read; a success is believed only when the body says so too; memory
//! is bounded by pages in flight; no key, code, address line or row value is in any error, log line or
//! `Debug` output. Facts of the API, each with its source, are in `facts.rs`.

mod ask;
mod breaker;
mod call;
mod cause;
mod client;
mod error;
mod facts;
mod failure;
#[cfg(test)]
pub(crate) mod fuzz_bodies;
#[cfg(test)]
mod fuzz_tests;
mod gate;
mod identity;
mod immediate;
mod link;
mod look;
mod page;
mod pages;
mod poller;
#[cfg(test)]
mod responder;
mod retry;
#[cfg(test)]
mod samples;
mod settings;
mod site;
mod sites;
mod statement;
mod status;
mod transport;
mod wait;
pub mod webhook;
mod wire;

pub use breaker::BreakerRule;
pub use cause::Cause;
pub use client::Client;
pub use error::RemoteError;
pub use identity::{Identity, KnownSite, reconsider};
pub use immediate::ImmediateResult;
pub use link::{LinkFault, faultless_link, known_link_faults};
pub use page::{MEMORY_MULTIPLE, Page, PageRows, SPARE_BYTES};
pub use pages::Pages;
pub use retry::BackOff;
pub use settings::{Patience, Settings};
pub use site::{Availability, RemoteSite, SiteStatus};
pub use statement::{Parameter, Statement};
pub use status::{RemotePage, RemoteQuery, RemoteResult, RemoteStatus};
pub use wire::{READ_MULTIPLE, READ_SPARE_BYTES};
