//! A stand-in for Halo Cloud that anyone can develop against without a subscription.
//!
//! It speaks the API's HTTP and runs real T-SQL over practice databases that it generates or loads. It is
//! built from the published facts alone and uses nothing else of this crate: the client must not be able
//! to agree with it on a misreading.

pub mod data;
pub mod engine;
pub mod practice;
