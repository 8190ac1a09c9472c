//! What the crate does as a whole, one module per behaviour.

mod object_stores;
mod queries;
