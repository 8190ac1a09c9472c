//! The simulator by itself, asked over plain HTTP as any client would: none of our client is used here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod control;
mod endpoints;
mod faults;
mod queue;
mod registered;
mod stand;
mod webhooks;
