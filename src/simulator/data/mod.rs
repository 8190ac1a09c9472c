//! Folders of CSV and Parquet files that play practice databases.
//!
//! One file is one table, named after it; `schema.sql` gives SQL Server types where they matter, else they are
//! inferred. `sites/<pms id>/` holds the tables of one site, on top of the folder's own. A value that does not
//! fit its declared type is an error that names its place and never the value itself.

mod csv_rows;
mod csv_table;
mod folder;
mod parquet_table;
mod strict;

#[cfg(test)]
mod tests;

pub use folder::{Folder, LoadError};
