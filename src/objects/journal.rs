//! Which multipart uploads are open, so that those of a crash can be ended.
//!
//! A store keeps, and charges for, the parts of an upload that nobody completes or aborts. Before the first
//! part leaves, the upload's id is noted under `_meta/uploads/`; completing or aborting removes the note. A
//! sweep ends what old notes name. On a disk the files in the making are themselves the notes.

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutResult, Result, UploadPart,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::StorageError;
use super::store::Store;
use crate::domain::Environment;

/// Notes of one environment of a bucket.
#[derive(Clone)]
pub(super) struct Journal {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) parts: Arc<dyn MultipartStore>,
    /// The folder of the notes.
    pub(super) folder: Path,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// Location in the bucket.
    path: String,
    upload_id: String,
}

impl Journal {
    /// Opens an upload to `path` and notes it.
    pub(super) async fn begin(&self, path: &Path) -> Result<Box<dyn MultipartUpload>> {
        let id = self.parts.create_multipart(path).await?;
        let upload = NotedUpload {
            journal: self.clone(),
            note: self.folder.clone().join(format!("{}.json", Uuid::new_v4())),
            path: path.clone(),
            id,
            begun: 0,
            arrived: Arc::default(),
        };
        let note = Note {
            path: path.to_string(),
            upload_id: upload.id.clone(),
        };
        let text = serde_json::to_vec(&note).expect("a note has text keys only");
        if let Err(error) = self.store.put(&upload.note, text.into()).await {
            self.parts.abort_multipart(path, &upload.id).await?;
            return Err(error);
        }
        Ok(Box::new(upload))
    }

    /// Ends the upload that the note at `note` names, and removes the note. Both may be gone already.
    async fn end(&self, note: &Path) -> Result<()> {
        let text = self.store.get(note).await?.bytes().await?;
        if let Ok(named) = serde_json::from_slice::<Note>(&text) {
            let path = Path::from(named.path);
            unless_gone(self.parts.abort_multipart(&path, &named.upload_id).await)?;
        }
        unless_gone(self.store.delete(note).await)
    }
}

fn unless_gone(result: Result<()>) -> Result<()> {
    match result {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        result => result,
    }
}

struct NotedUpload {
    journal: Journal,
    note: Path,
    path: Path,
    id: String,
    begun: usize,
    /// Ids of the parts that have arrived, by number.
    arrived: Arc<Mutex<Vec<(usize, PartId)>>>,
}

impl std::fmt::Debug for NotedUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NotedUpload").field(&self.path).finish()
    }
}

#[async_trait]
impl MultipartUpload for NotedUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let number = self.begun;
        self.begun += 1;
        let (parts, path, id) = (
            Arc::clone(&self.journal.parts),
            self.path.clone(),
            self.id.clone(),
        );
        let arrived = Arc::clone(&self.arrived);
        Box::pin(async move {
            let part = parts.put_part(&path, &id, number, part).await?;
            arrived
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, part));
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let mut arrived =
            std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        arrived.sort_by_key(|(number, _)| *number);
        let parts = arrived.into_iter().map(|(_, part)| part).collect();
        let completed = self
            .journal
            .parts
            .complete_multipart(&self.path, &self.id, parts)
            .await?;
        // The object stands; a note that stays is removed by the next sweep.
        let _ = self.journal.store.delete(&self.note).await;
        Ok(completed)
    }

    async fn abort(&mut self) -> Result<()> {
        unless_gone(
            self.journal
                .parts
                .abort_multipart(&self.path, &self.id)
                .await,
        )?;
        unless_gone(self.journal.store.delete(&self.note).await)
    }
}

impl Store {
    /// Ends what crashes left behind before `before`: open uploads, and on a disk files in the making.
    /// Returns how many.
    ///
    /// Choose `before` well past the longest upload, for example a day ago: an upload still at work that is
    /// ended here fails.
    ///
    /// # Errors
    /// When storage cannot be listed, or refuses to end one.
    pub async fn sweep(
        &self,
        environment: Environment,
        before: DateTime<Utc>,
    ) -> std::result::Result<u64, StorageError> {
        let mut swept = 0;
        if let Some(folder) = &self.folder {
            for staging in [
                folder.join(format!("{environment}/_meta/staging")),
                folder.join("_staging"),
            ] {
                swept += sweep_folder(&staging, before.into()).map_err(|error| {
                    StorageError::from_io("sweep", staging.display().to_string(), error)
                })?;
            }
            return Ok(swept);
        }
        let Some(journal) = self.journal(environment.to_string().as_str())? else {
            return Ok(swept);
        };
        let mut notes = self.list_below(format!("{environment}/_meta/uploads"));
        while let Some((path, meta)) = notes.try_next().await? {
            if meta.last_modified < before {
                let ended = journal.end(&meta.location).await;
                ended
                    .map_err(|error| StorageError::from_store("end the upload of", path, error))?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

fn sweep_folder(folder: &FilePath, before: SystemTime) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry?;
        if entry.metadata()?.modified()? < before {
            std::fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use object_store::memory::InMemory;

    use super::super::samples::{files_below, folder, noise, stage};
    use super::*;

    async fn notes(store: &Store) -> usize {
        let notes = store.list_below("simulator/_meta/uploads".to_owned());
        notes.try_collect::<Vec<_>>().await.expect("listed").len()
    }

    async fn sweep(store: &Store, hours: i64) -> u64 {
        let before = Utc::now() + TimeDelta::hours(hours);
        store
            .sweep(Environment::Simulator, before)
            .await
            .expect("swept")
    }

    #[tokio::test]
    async fn an_upload_of_parts_is_noted_until_it_is_published_or_aborted() {
        let store = Store::with_notes(Arc::new(InMemory::new()));
        let (schema, batches) = noise(5, 4096);

        let first = stage(&store, &schema, batches.clone())
            .await
            .expect("staged");
        let second = stage(&store, &schema, batches).await.expect("staged");
        assert_eq!(notes(&store).await, 2);
        let object = first.publish().await.expect("published");
        second.abort().await;

        assert_eq!(notes(&store).await, 0);
        let footer = store.read_footer(&object.path).await.expect("a footer");
        assert_eq!(footer.rows, 5 * 4096);
    }

    #[tokio::test]
    async fn an_upload_that_is_dropped_leaves_no_note() {
        let store = Store::with_notes(Arc::new(InMemory::new()));
        let (schema, batches) = noise(5, 4096);

        drop(stage(&store, &schema, batches).await.expect("staged"));

        while notes(&store).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_sweep_ends_what_a_crash_left_and_nothing_younger() {
        let store = Store::with_notes(Arc::new(InMemory::new()));
        let (schema, batches) = noise(5, 4096);
        // A process that is killed drops nothing.
        std::mem::forget(stage(&store, &schema, batches).await.expect("staged"));

        assert_eq!(sweep(&store, -1).await, 0);
        assert_eq!(notes(&store).await, 1);
        assert_eq!(sweep(&store, 1).await, 1);
        assert_eq!(notes(&store).await, 0);
        assert_eq!(sweep(&store, 1).await, 0);
    }

    #[tokio::test]
    async fn a_sweep_of_a_folder_removes_files_in_the_making() {
        let (folder, store) = folder();
        let (schema, batches) = noise(5, 4096);
        std::mem::forget(stage(&store, &schema, batches).await.expect("staged"));

        assert_eq!(sweep(&store, -1).await, 0);
        assert_eq!(files_below(folder.path()).len(), 1);
        assert_eq!(sweep(&store, 1).await, 1);
        assert_eq!(files_below(folder.path()), [""; 0]);
    }
}
