//! What is in storage: the objects of an environment, as the store lists them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::error::StorageError;
use super::layout::parse_object_path;
use super::store::Store;
use crate::domain::{Environment, Extraction, SiteKey};

/// One file below `<environment>/data/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path below the storage root.
    pub path: String,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// When it became visible.
    pub published_at: DateTime<Utc>,
    /// The store's mark of its last write, without quotes; `None` for a folder.
    pub etag: Option<String>,
    /// The extraction that its path names; `None` if we would not have made that path.
    pub extraction: Option<Extraction>,
}

impl Store {
    /// Everything below `<environment>/data/`, in the order of the store, page by page.
    ///
    /// Files in the making are not listed.
    pub fn list(&self, environment: Environment) -> BoxStream<'_, Result<Listed, StorageError>> {
        self.list_below(format!("{environment}/data"))
            .map_ok(|(path, meta)| self.listed(path, meta))
            .boxed()
    }

    /// The file at `path` as the store would list it; `None` if there is none.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn listed_at(&self, path: &str) -> Result<Option<Listed>, StorageError> {
        match self.inner.head(&self.location(path)?).await {
            Ok(meta) => Ok(Some(self.listed(path.to_owned(), meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StorageError::from_store("read", path, error)),
        }
    }

    fn listed(&self, path: String, meta: ObjectMeta) -> Listed {
        Listed {
            extraction: parse_object_path(&path).map(|(_, extraction)| extraction),
            size_bytes: meta.size,
            published_at: meta.last_modified,
            etag: self.etag(meta.e_tag),
            path,
        }
    }

    /// Everything below the folders of one site, by path: what forgetting it removes. Also files that are not ours.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn objects_of(
        &self,
        environment: Environment,
        site: &SiteKey,
    ) -> Result<BTreeMap<String, Listed>, StorageError> {
        let mut found = BTreeMap::new();
        for query in self.folders(&format!("{environment}/data")).await? {
            for version in self.folders(&query).await? {
                let mut files = self.list_below(format!("{version}/site={site}"));
                while let Some((path, meta)) = files.try_next().await? {
                    found.insert(path.clone(), self.listed(path, meta));
                }
            }
        }
        Ok(found)
    }

    /// The manifests of one site, by path.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn manifests_of(
        &self,
        environment: Environment,
        site: &SiteKey,
    ) -> Result<Vec<String>, StorageError> {
        let mut found = Vec::new();
        for night in self
            .folders(&format!("{environment}/_meta/manifests"))
            .await?
        {
            let mut files = self.list_below(format!("{night}/{site}"));
            while let Some((path, _)) = files.try_next().await? {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// The folders right below `folder`, as our paths.
    async fn folders(&self, folder: &str) -> Result<Vec<String>, StorageError> {
        let location = self.location(folder)?;
        let listed = self.inner.list_with_delimiter(Some(&location)).await;
        let listed = listed.map_err(|error| StorageError::from_store("list", folder, error))?;
        let prefixes = listed.common_prefixes.iter();
        Ok(prefixes.filter_map(|prefix| self.path_of(prefix)).collect())
    }

    /// Removes the object at `path`. That it is gone already is as good: a removal may be repeated.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn remove(&self, path: &str) -> Result<(), StorageError> {
        match self.inner.delete(&self.location(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StorageError::from_store("remove", path, error)),
        }
    }

    pub(super) fn list_below(
        &self,
        folder: String,
    ) -> BoxStream<'_, Result<(String, ObjectMeta), StorageError>> {
        let listed = match self.location(&folder) {
            Ok(location) => self.inner.list(Some(&location)),
            Err(error) => return futures::stream::once(async { Err(error) }).boxed(),
        };
        listed
            .map_err(move |error| StorageError::from_store("list", folder.clone(), error))
            .try_filter_map(move |meta| {
                let path = self.path_of(&meta.location);
                futures::future::ready(Ok(path.map(|path| (path, meta))))
            })
            .boxed()
    }
}
