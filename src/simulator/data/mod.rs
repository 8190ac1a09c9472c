//! Folders of CSV and Parquet files that play practice databases.

mod folder;

pub use folder::{Folder, LoadError};
