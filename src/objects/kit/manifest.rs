//! A manifest: what one night published of one query at one site, for a copy to check itself against.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::super::error::{StorageError, StorageErrorKind};
use super::super::store::Store;
use crate::domain::{
    AttemptNumber, Environment, ObjectRecord, Proof, QueryName, QueryVersion, SiteKey, Window,
};

/// What one night published of one query version at one site. Equal content makes equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`Manifest::FORMAT`].
    pub format: u32,
    /// Which world the objects belong to.
    pub environment: Environment,
    /// The night, by the date of its morning in the site's own calendar.
    pub night: NaiveDate,
    /// Whose data.
    pub site: SiteKey,
    /// Which question.
    pub query: QueryName,
    /// Which text of it.
    pub version: QueryVersion,
    /// When the manifest was written.
    pub written_at: DateTime<Utc>,
    /// The objects, by path.
    pub objects: Vec<ManifestObject>,
}

/// One object of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestObject {
    /// Path below the storage root, size in bytes, rows and SHA-256.
    #[serde(flatten)]
    pub object: ObjectRecord,
    /// Of which days.
    pub window: Window,
    /// The try that published it.
    pub attempt: u32,
    /// The four counts that were equal.
    pub proof: Proof,
    /// Paths of objects whose rows this one holds instead, and which are removed. Whoever follows manifests takes the
    /// one and leaves the others in one step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
}

impl Manifest {
    /// Version of the form. A reader refuses what is higher than it knows.
    pub const FORMAT: u32 = 1;

    /// Where it is kept: `<environment>/_meta/manifests/<night>/<site>/<query>_v<N>.json`.
    #[must_use]
    pub fn path(&self) -> String {
        let Self {
            environment,
            night,
            site,
            query,
            version,
            ..
        } = self;
        format!("{environment}/_meta/manifests/{night}/{site}/{query}_{version}.json")
    }
}

impl ManifestObject {
    /// The entry of an object published by `attempt`.
    #[must_use]
    pub fn new(object: ObjectRecord, window: Window, attempt: AttemptNumber, proof: Proof) -> Self {
        Self {
            object,
            window,
            attempt: attempt.0,
            proof,
            replaces: Vec::new(),
        }
    }
}

impl Store {
    /// Writes the receipt of something that was removed, as JSON to `<environment>/_meta/receipts/<name>`, and tells
    /// where it lies and its digest.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn write_receipt(
        &self,
        environment: Environment,
        name: &str,
        receipt: &impl Serialize,
    ) -> Result<ObjectRecord, StorageError> {
        let mut text = serde_json::to_vec_pretty(receipt).expect("a receipt has text keys only");
        text.push(b'\n');
        let path = format!("{environment}/_meta/receipts/{name}");
        self.put(&path, text.into()).await
    }

    /// Writes manifests to their paths, each replacing an earlier one of the same night.
    ///
    /// # Errors
    /// When the store refuses; some may be written by then.
    pub async fn write_manifests(&self, manifests: &[Manifest]) -> Result<(), StorageError> {
        let files = manifests.iter().map(|manifest| {
            let mut text =
                serde_json::to_vec_pretty(manifest).expect("a manifest has text keys only");
            text.push(b'\n');
            (manifest.path(), text.into())
        });
        self.put_all(files.collect()).await
    }

    /// The manifest at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is not a manifest of this form.
    pub async fn read_manifest(&self, path: &str) -> Result<Manifest, StorageError> {
        let text = self.get(path).await?;
        let foreign = |why| StorageError::new("read", path, StorageErrorKind::Foreign(why));
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|_| foreign("not a manifest"))?;
        if manifest.format > Manifest::FORMAT {
            return Err(foreign("a manifest of a later form"));
        }
        Ok(manifest)
    }
}
