//! What the crate does as a whole, one module per behaviour.

mod queries;
