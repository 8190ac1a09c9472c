//! Whether storage lets us write, read and delete, tried with a few bytes outside every data glob.

use object_store::{ObjectStoreExt, PutPayload};
use uuid::Uuid;

use crate::domain::Environment;

use super::{StorageError, StorageErrorKind, Store};

const BYTES: &[u8] = b"halo-extract looks whether it may write here";

impl Store {
    /// Writes, reads and deletes a small object under `_meta`.
    ///
    /// # Errors
    /// With the first of the three that the store refuses, or when it gives back other bytes.
    pub async fn probe(&self, environment: Environment) -> Result<(), StorageError> {
        let place = format!("{environment}/_meta/probe/{}", Uuid::new_v4());
        let path = self.location(&place)?;
        let failed = |action: &'static str| {
            let place = place.clone();
            move |error| StorageError::from_store(action, place, error)
        };
        self.inner
            .put(&path, PutPayload::from_static(BYTES))
            .await
            .map_err(failed("write"))?;
        let read = async { self.inner.get(&path).await?.bytes().await }.await;
        self.inner.delete(&path).await.map_err(failed("delete"))?;
        if read.map_err(failed("read"))? == BYTES {
            Ok(())
        } else {
            Err(StorageError::new(
                "read",
                place,
                StorageErrorKind::Foreign("other bytes than were written"),
            ))
        }
    }
}
