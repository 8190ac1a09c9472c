//! Parts → storage, invisible until published, and gone without a trace if not.
//!
//! A small object waits in memory and is written in one request when it is published; a larger one is a
//! multipart upload whose parts leave as they come. In a folder on disk both first become a file under
//! `_meta/staging/`, outside every path that a reader of data looks at, and publishing renames it.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::error::StorageError;
use super::folder;
use super::journal::Journal;
use super::store::unquoted;

/// Parts on their way at once. With the one being filled this bounds memory.
const PARTS_IN_FLIGHT: usize = 2;

/// An object that is not visible yet.
pub(super) struct Upload {
    store: Arc<dyn ObjectStore>,
    /// Where the bytes go.
    target: Path,
    /// Where a rename takes them at the end, if the store cannot hide unfinished files by itself.
    rename_to: Option<Renaming>,
    /// Where the upload is noted once it has several parts.
    journal: Option<Journal>,
    content: Content,
}

/// The place where readers look, in a folder on disk.
struct Renaming {
    folder: PathBuf,
    published: Path,
}

enum Content {
    /// At most one part so far.
    Small(Bytes),
    Multipart(Box<dyn MultipartUpload>),
    /// Published or aborted.
    Ended,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, target: Path) -> Self {
        Self {
            store,
            target,
            rename_to: None,
            journal: None,
            content: Content::Small(Bytes::new()),
        }
    }

    /// For a store that is the folder `folder` on disk.
    pub(super) fn renamed_to(mut self, published: Path, folder: PathBuf) -> Self {
        self.rename_to = Some(Renaming { folder, published });
        self
    }

    pub(super) fn noted_in(mut self, journal: Option<Journal>) -> Self {
        self.journal = journal;
        self
    }

    /// Takes `bytes` for the whole object, small enough for memory.
    pub(super) fn hold(&mut self, bytes: Bytes) {
        self.content = Content::Small(bytes);
    }

    /// Takes parts until the sender is dropped. On an error the upload must be aborted.
    ///
    /// # Errors
    /// When the store refuses a part.
    pub(super) async fn take(&mut self, mut parts: Receiver<Bytes>) -> Result<(), StorageError> {
        let Some(first) = parts.recv().await else {
            return Ok(());
        };
        self.content = Content::Small(first.clone());
        let Some(second) = parts.recv().await else {
            return Ok(());
        };
        let mut upload = begin(
            self.journal.clone(),
            Arc::clone(&self.store),
            self.target.clone(),
        )
        .await
        .map_err(|error| self.error(error))?;
        let mut in_flight = JoinSet::new();
        in_flight.spawn(upload.put_part(first.into()));
        in_flight.spawn(upload.put_part(second.into()));
        // Kept at once, so that an error below finds it and can abort it.
        self.content = Content::Multipart(upload);
        while let Some(part) = parts.recv().await {
            if in_flight.len() >= PARTS_IN_FLIGHT {
                let settled = in_flight.join_next().await;
                self.settle(settled)?;
            }
            if let Content::Multipart(upload) = &mut self.content {
                in_flight.spawn(upload.put_part(part.into()));
            }
        }
        while let Some(settled) = in_flight.join_next().await {
            self.settle(Some(settled))?;
        }
        Ok(())
    }

    fn settle(
        &self,
        settled: Option<Result<object_store::Result<()>, tokio::task::JoinError>>,
    ) -> Result<(), StorageError> {
        match settled {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(self.error(error)),
            Some(Err(source)) => Err(self.error(object_store::Error::JoinError { source })),
        }
    }

    /// Makes the object visible in one step, replacing what was there; the store's mark of the write, without quotes,
    /// if it gives one that lasts.
    ///
    /// # Errors
    /// When the store refuses; nothing is left behind, and what was there still is.
    pub(super) async fn publish(&mut self) -> Result<Option<String>, StorageError> {
        let published = self.try_publish().await;
        if published.is_err() {
            self.abort().await;
        }
        published
    }

    async fn try_publish(&mut self) -> Result<Option<String>, StorageError> {
        if let (Content::Small(bytes), Some(to)) = (&self.content, &self.rename_to) {
            let bytes = bytes.clone();
            let draft = to.folder.join(self.target.as_ref());
            let published = to.folder.join(to.published.as_ref());
            let writing = move || folder::publish(&draft, &published, &bytes);
            let written = tokio::task::spawn_blocking(writing).await;
            written
                .map_err(std::io::Error::from)
                .flatten()
                .map_err(|error| StorageError::from_io("write", to.published.as_ref(), error))?;
            self.content = Content::Ended;
            return Ok(None);
        }
        self.finish_and_rename()
            .await
            .map_err(|error| self.error(error))
    }

    async fn finish_and_rename(&mut self) -> object_store::Result<Option<String>> {
        let put = match &mut self.content {
            Content::Small(bytes) => {
                let payload = PutPayload::from(bytes.clone());
                self.store.put(&self.target, payload).await?
            }
            Content::Multipart(upload) => upload.complete().await?,
            Content::Ended => return Ok(None),
        };
        let mut etag = put.e_tag.as_deref().map(unquoted);
        if let Some(to) = &self.rename_to {
            self.store.rename(&self.target, &to.published).await?;
            etag = None;
        }
        self.content = Content::Ended;
        Ok(etag)
    }

    /// Gives up: no part, no temporary file stays. Best effort, as the store may be what failed.
    pub(super) async fn abort(&mut self) {
        if let Content::Multipart(mut upload) = std::mem::replace(&mut self.content, Content::Ended)
            && let Err(error) = upload.abort().await
        {
            tracing::debug!(path = %self.target, error = %error, "an upload could not be aborted, or had ended already");
        }
        if self.rename_to.is_some() {
            // Completed but not renamed; mostly it does not exist, which is as good.
            let _ = self.store.delete(&self.target).await;
        }
    }

    fn error(&self, error: object_store::Error) -> StorageError {
        let renamed_to = self.rename_to.as_ref().map(|to| &to.published);
        let path = renamed_to.unwrap_or(&self.target);
        StorageError::from_store("write", path.as_ref(), error)
    }
}

/// Opens an upload of parts, noted where the store needs it.
///
/// Opening runs to its end even if nobody waits for it any more, and aborts then: an upload that was opened and not
/// noted could be found by nobody.
async fn begin(
    journal: Option<Journal>,
    store: Arc<dyn ObjectStore>,
    target: Path,
) -> object_store::Result<Box<dyn MultipartUpload>> {
    let (to_caller, begun) = oneshot::channel();
    tokio::spawn(async move {
        let begun = match journal {
            Some(journal) => journal.begin(&target).await,
            None => store.put_multipart(&target).await,
        };
        if let Err(Ok(mut unwanted)) = to_caller.send(begun)
            && let Err(error) = unwanted.abort().await
        {
            tracing::debug!(path = %target, error = %error, "an upload that nobody waited for could not be aborted");
        }
    });
    begun.await.expect("the task above sends")
}

impl Drop for Upload {
    /// A future dropped half-way still aborts: stores such as S3 keep, and charge for, open uploads.
    fn drop(&mut self) {
        let Content::Multipart(mut upload) = std::mem::replace(&mut self.content, Content::Ended)
        else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
