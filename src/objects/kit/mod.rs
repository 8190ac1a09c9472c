//! The analyst kit: what lies beside the data so that nobody has to ask how to read it.
//!
//! Views for four engines, a coverage table that gives the denominator, a table of runs, a manifest per
//! night, and a README for whoever finds the folder. All of it is under `<environment>/_meta/`, outside
//! every glob that reads data, except the README at the root. Everything can be written again at any time
//! and replaces what was there. Not for deciding what is late or missing: the caller knows that.

mod duckdb;
mod lake;
mod manifest;
mod power_query;
mod readme;
mod spark;
mod sql;
mod tables;
mod trino;

pub use lake::{Lake, PublishedQuery};
pub use manifest::{Manifest, ManifestObject};
pub use tables::{CoverageRow, RunRow};

use std::collections::BTreeMap;

use super::error::StorageError;
use super::store::Store;
use crate::domain::{Environment, ObjectRecord};

/// The views of `lake` as text, by file name below `_meta/views/`.
#[must_use]
pub fn views(lake: &Lake) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("duckdb.sql", duckdb::views(lake)),
        ("spark.sql", spark::views(lake)),
        ("trino.sql", trino::views(lake)),
        ("power_query.pq", power_query::functions(lake)),
    ])
}

/// The text of the README at the root of `lake`.
#[must_use]
pub fn readme(lake: &Lake) -> String {
    readme::text(lake)
}

impl Store {
    /// Writes the views of `lake` and the README. What was there is replaced, file by file.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_views(&self, lake: &Lake) -> Result<Vec<ObjectRecord>, StorageError> {
        let mut written = Vec::new();
        for (name, text) in views(lake) {
            let path = format!("{}/_meta/views/{name}", lake.environment);
            written.push(self.put(&path, text.into()).await?);
        }
        written.push(self.put("README.md", readme(lake).into()).await?);
        Ok(written)
    }

    /// Writes `coverage.parquet`: for each site, query and date whether data was expected and has arrived.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_coverage(
        &self,
        environment: Environment,
        rows: &[CoverageRow],
    ) -> Result<ObjectRecord, StorageError> {
        let path = format!("{environment}/_meta/coverage.parquet");
        self.put_table(&path, tables::coverage(rows)).await
    }

    /// Writes `runs.parquet`: every attempt that the ledger knows.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_runs(
        &self,
        environment: Environment,
        rows: &[RunRow],
    ) -> Result<ObjectRecord, StorageError> {
        let path = format!("{environment}/_meta/runs.parquet");
        self.put_table(&path, tables::runs(rows)).await
    }

    async fn put_table(
        &self,
        path: &str,
        table: arrow::array::RecordBatch,
    ) -> Result<ObjectRecord, StorageError> {
        let rows = table.num_rows() as u64;
        let bytes =
            tables::to_parquet(&table).map_err(|error| StorageError::from_encoder(path, error))?;
        let record = self.put(path, bytes.into()).await?;
        Ok(ObjectRecord { rows, ..record })
    }
}

#[cfg(test)]
mod tests;
