//! The statement of a query file: one SELECT that reads, with our parameters and the contract's columns.
//!
//! Two looks at it. The words are checked first, because they give exact places and cannot be hidden
//! from by syntax that the parser does not know; then the parsed SELECT gives the columns. The server
//! is the last to judge: it gets every statement in reader mode.

mod carried;
mod check;
mod foreign;
mod limit;
mod probe;
mod select_list;
mod shape;
mod small;
mod syntax;
mod words;

pub(super) use check::{Facts, Wanted, check};
pub use limit::limited;
pub use probe::probe;
pub(super) use shape::{Shape, shape};
pub(super) use small::check_withheld;
pub(super) use words::Binds;
