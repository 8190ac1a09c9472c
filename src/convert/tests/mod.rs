//! The converter against an obvious reference implementation, and against values written out by hand.

mod agreement;
mod build;
mod layouts;
mod pages;
mod parquet;
mod reference;
mod refusals;
mod values;
