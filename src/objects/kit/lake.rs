//! What a lake holds, as far as a view must know it.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, SchemaRef};
use futures::TryStreamExt;

use super::super::error::StorageError;
use super::super::store::Store;
use crate::domain::{Environment, Mode, Query, QueryId};

/// One environment of a storage root, with the query versions that have objects there.
#[derive(Debug, Clone)]
pub struct Lake {
    /// Address of the root, as readers use it.
    pub address: String,
    /// The environment; never mixed with another in one view.
    pub environment: Environment,
    /// By name and version. One without objects has no place here: engines refuse a view over no files.
    pub queries: Vec<PublishedQuery>,
}

/// A query version that has at least one object.
#[derive(Debug, Clone)]
pub struct PublishedQuery {
    /// Name and version.
    pub id: QueryId,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// Whether the newest day says all, or the newest row of each key.
    pub mode: Mode,
    /// Columns that identify a row within a site.
    pub key: Vec<String>,
    /// Columns of its objects, the added ones included.
    pub schema: SchemaRef,
}

/// A row whose `record_status` is anything but 1 was deleted in the practice's database.
const RECORD_STATUS: &str = "record_status";
/// Columns that the folders' names give.
const PARTITIONS: [&str; 2] = ["site", "date"];

impl Store {
    /// What the environment holds of `queries`, each with the columns of one of its objects.
    ///
    /// # Errors
    /// When storage cannot be listed or an object cannot be read.
    pub async fn survey<'a>(
        &self,
        environment: Environment,
        queries: impl IntoIterator<Item = &'a Query>,
    ) -> Result<Lake, StorageError> {
        let mut published = Vec::new();
        for query in queries {
            let QueryId { name, version } = &query.id;
            let folder = format!("{environment}/data/{name}/{version}");
            let first = self.list_below(folder).try_next().await?;
            let Some((path, _)) = first else {
                continue;
            };
            published.push(PublishedQuery {
                id: query.id.clone(),
                purpose: query.purpose.clone(),
                mode: query.mode,
                key: query.key.clone(),
                schema: self.read_footer(&path).await?.schema,
            });
        }
        published.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Lake {
            address: self.address().trim_end_matches('/').to_owned(),
            environment,
            queries: published,
        })
    }
}

impl Lake {
    /// The highest version of each query.
    pub(super) fn current(&self) -> impl Iterator<Item = &PublishedQuery> {
        self.queries
            .iter()
            .enumerate()
            .filter_map(|(index, query)| {
                let next = self.queries.get(index + 1);
                next.is_none_or(|next| next.id.name != query.id.name)
                    .then_some(query)
            })
    }

    /// Folder of a query version's objects, below `root`.
    pub(super) fn folder(&self, root: &str, query: &PublishedQuery) -> String {
        let QueryId { name, version } = &query.id;
        format!("{root}/{}/data/{name}/{version}", self.environment)
    }
}

impl PublishedQuery {
    /// Name of its views: `observation_v2`.
    pub(super) fn view_name(&self) -> String {
        format!("{}_{}", self.id.name, self.id.version)
    }

    /// All columns of its objects, in order.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &DataType)> {
        let fields = self.schema.fields().iter();
        fields.map(|field| (field.name().as_str(), field.data_type()))
    }

    /// What tells two rows of one site apart: the key, or all own columns where a key is not declared or
    /// did not leave the practice.
    pub(super) fn row_key(&self) -> Vec<&str> {
        let own: Vec<&str> = self
            .columns()
            .map(|(name, _)| name)
            .filter(|name| !name.starts_with('_'))
            .collect();
        let names: BTreeSet<&str> = own.iter().copied().collect();
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        if !key.is_empty() && key.iter().all(|name| names.contains(name)) {
            key
        } else {
            own
        }
    }

    /// Whether its rows say themselves that they were deleted.
    pub(super) fn tells_deletion(&self) -> bool {
        self.columns().any(|(name, _)| name == RECORD_STATUS)
    }

    /// The partition columns that no column of its own hides.
    pub(super) fn partitions(&self) -> Vec<&'static str> {
        let hidden = |partition: &str| {
            self.columns()
                .any(|(name, _)| name.eq_ignore_ascii_case(partition))
        };
        PARTITIONS
            .into_iter()
            .filter(|partition| !hidden(partition))
            .collect()
    }
}
