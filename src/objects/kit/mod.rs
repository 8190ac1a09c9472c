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

use arrow::array::RecordBatch;
use tokio::sync::mpsc::Receiver;

use super::error::StorageError;
use super::store::{Staged, Store};
use crate::domain::Environment;

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
    /// Writes the views of `lake` and the README. What was there is replaced, file by file, where it differs.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_views(&self, lake: &Lake) -> Result<(), StorageError> {
        let views = views(lake).into_iter().map(|(name, text)| {
            let path = format!("{}/_meta/views/{name}", lake.environment);
            (path, text)
        });
        let readme = ("README.md".to_owned(), readme(lake));
        self.put_changed(views.chain([readme])).await
    }

    /// Writes the data dictionary, in its form for programs and in that for people.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_dictionary(
        &self,
        environment: Environment,
        json: String,
        markdown: String,
    ) -> Result<(), StorageError> {
        let forms = [("dictionary.json", json), ("dictionary.md", markdown)];
        let files = forms.map(|(name, text)| (format!("{environment}/_meta/{name}"), text));
        self.put_changed(files).await
    }

    /// Stages `coverage.parquet` from the rows that come: for each site, query and date whether data was expected and
    /// has arrived. A sender that fails half-way drops its end too, and the caller aborts.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn stage_coverage(
        &self,
        environment: Environment,
        rows: Receiver<Vec<CoverageRow>>,
    ) -> Result<Staged, StorageError> {
        let path = format!("{environment}/_meta/coverage.parquet");
        self.stage_table(&path, rows, tables::coverage).await
    }

    /// Stages `runs.parquet` from the rows that come: the attempts that the ledger knows. As
    /// [`Store::stage_coverage`].
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn stage_runs(
        &self,
        environment: Environment,
        rows: Receiver<Vec<RunRow>>,
    ) -> Result<Staged, StorageError> {
        let path = format!("{environment}/_meta/runs.parquet");
        self.stage_table(&path, rows, tables::runs).await
    }

    async fn stage_table<Row: Send + 'static>(
        &self,
        path: &str,
        mut rows: Receiver<Vec<Row>>,
        to_batch: fn(&[Row]) -> RecordBatch,
    ) -> Result<Staged, StorageError> {
        let batches = move || rows.blocking_recv().map(|rows| to_batch(&rows));
        let schema = to_batch(&[]).schema();
        self.stage_bytes(path, move |sink| tables::encode(schema, batches, sink))
            .await
    }
}

#[cfg(test)]
mod tests;
