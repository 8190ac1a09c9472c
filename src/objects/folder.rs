//! Objects in a folder on disk: written where no reader looks, on disk for good, then renamed into their place.
//!
//! The client library can do it too, in two renames with their own waits for the disk. Those waits were most of what
//! storing a small object took; and of a large one nothing was on its way to the disk before its end.
//!
//! Invariant: once [`put`] or completing a [`Draft`] has returned, the object and every folder that was made for it survive
//! a loss of power; until then `published` holds what it held before.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use async_trait::async_trait;
use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

/// What has been written goes to the disk whenever another so many bytes have come: often enough that little is left for
/// the end, and not at all for an object of less.
const SYNC_BYTES: u64 = 8 << 20;

/// Makes `bytes` the content of the file `published` in one step, by way of the file `draft` on the same disk.
///
/// # Errors
/// When the disk refuses; nothing is left behind.
pub(super) async fn put(draft: PathBuf, published: PathBuf, bytes: Bytes) -> Result<PutResult> {
    blocking(move || publish(&draft, &published, &bytes)).await?;
    Ok(unmarked())
}

fn publish(draft: &Path, published: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = write_for_good(draft, bytes).and_then(|()| rename_for_good(draft, published));
    if written.is_err() {
        drop(fs::remove_file(draft));
    }
    written
}

/// A small file that is to be published.
pub(super) struct Publication {
    /// Where it is written first, on the same disk.
    pub(super) draft: PathBuf,
    /// Its place.
    pub(super) published: PathBuf,
    /// Its content.
    pub(super) bytes: Bytes,
}

/// Publishes several files, each in one step, and waits for each of their folders once. Blocks.
///
/// # Errors
/// When the disk refuses; some may be published then, and nothing else is left behind.
pub(super) fn publish_all(files: &[Publication]) -> io::Result<()> {
    let mut changed = BTreeSet::new();
    for file in files {
        let renamed = write_for_good(&file.draft, &file.bytes)
            .and_then(|()| rename(&file.draft, &file.published));
        match renamed {
            Ok(folders) => changed.extend(folders),
            Err(error) => {
                drop(fs::remove_file(&file.draft));
                return Err(error);
            }
        }
    }
    changed.into_iter().rev().try_for_each(sync_folder)
}

/// A large object in the making: a file that takes parts, and goes to the disk while more of them come.
#[derive(Debug)]
pub(super) struct Draft {
    file: Arc<DraftFile>,
    /// Where it is, until it is renamed or removed.
    path: Option<PathBuf>,
    published: PathBuf,
    /// Of all parts so far.
    size_bytes: u64,
}

/// Two handles of one file, each for one at a time.
#[derive(Debug)]
struct DraftFile {
    to_write: Mutex<File>,
    to_sync: Mutex<File>,
}

impl Draft {
    /// Begins the file `draft`, to be renamed to `published` on the same disk.
    ///
    /// # Errors
    /// When the disk refuses; nothing is left behind.
    pub(super) async fn begin(draft: PathBuf, published: PathBuf) -> Result<Self> {
        let beginning = move || {
            let to_write = create(&draft)?;
            let to_sync = to_write.try_clone()?;
            Ok(Self {
                file: Arc::new(DraftFile {
                    to_write: Mutex::new(to_write),
                    to_sync: Mutex::new(to_sync),
                }),
                path: Some(draft),
                published,
                size_bytes: 0,
            })
        };
        blocking(beginning).await
    }
}

#[async_trait]
impl MultipartUpload for Draft {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let (file, offset) = (Arc::clone(&self.file), self.size_bytes);
        self.size_bytes += part.content_length() as u64;
        let sync_due = self.size_bytes / SYNC_BYTES > offset / SYNC_BYTES;
        Box::pin(blocking(move || {
            file.write(offset, &part)?;
            if sync_due {
                file.sync_unless_busy()?;
            }
            Ok(())
        }))
    }

    /// Renames the file into its place.
    async fn complete(&mut self) -> Result<PutResult> {
        let Some(draft) = self.path.take() else {
            return Err(refused(io::ErrorKind::NotFound.into()));
        };
        let (file, published) = (Arc::clone(&self.file), self.published.clone());
        let completing = move || {
            let replaced = replaced(&published);
            let synced = lock(&file.to_sync).sync_all();
            let completed = synced.and_then(|()| rename_for_good(&draft, &published));
            if completed.is_err() {
                drop(fs::remove_file(&draft));
            }
            tokio::task::spawn_blocking(move || drop(replaced));
            completed
        };
        blocking(completing).await?;
        Ok(unmarked())
    }

    async fn abort(&mut self) -> Result<()> {
        match self.path.take() {
            Some(draft) => blocking(move || fs::remove_file(draft)).await,
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    /// Where no runtime is left to abort in.
    fn drop(&mut self) {
        if let Some(draft) = self.path.take() {
            drop(fs::remove_file(draft));
        }
    }
}

impl DraftFile {
    fn write(&self, offset: u64, part: &PutPayload) -> io::Result<()> {
        let mut file = lock(&self.to_write);
        file.seek(SeekFrom::Start(offset))?;
        part.iter().try_for_each(|bytes| file.write_all(bytes))
    }

    /// Waits until the disk has what is written so far, unless another part waits already: so parts are written
    /// meanwhile, and the next wait is for all of them.
    fn sync_unless_busy(&self) -> io::Result<()> {
        match self.to_sync.try_lock() {
            Ok(file) => file.sync_data(),
            Err(TryLockError::Poisoned(file)) => file.into_inner().sync_data(),
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }
}

/// No mark: those of a folder change when it is copied or restored.
fn unmarked() -> PutResult {
    PutResult {
        e_tag: None,
        version: None,
        extensions: Default::default(),
    }
}

fn lock(file: &Mutex<File>) -> MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(io::Error::from).flatten().map_err(refused)
}

fn refused(error: io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "folder",
        source: Box::new(error),
    }
}

fn write_for_good(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create(draft: &Path) -> io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).open(draft);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent(draft)?)?;
            create()
        }
        created => created,
    }
}

fn rename_for_good(draft: &Path, published: &Path) -> io::Result<()> {
    rename(draft, published)?
        .into_iter()
        .try_for_each(sync_folder)
}

/// Renames the file; the folders that changed by it, from the deepest.
fn rename<'a>(draft: &Path, published: &'a Path) -> io::Result<Vec<&'a Path>> {
    let folder = parent(published)?;
    // The deepest folder that is there already: what is new below it must be on disk as well.
    let mut oldest = folder;
    match fs::rename(draft, published) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            while !oldest.exists() {
                oldest = parent(oldest)?;
            }
            fs::create_dir_all(folder)?;
            fs::rename(draft, published)?;
        }
        renamed => renamed?,
    }
    let new = folder.ancestors().take_while(|changed| *changed != oldest);
    Ok(new.chain([oldest]).collect())
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// What `published` is until it is replaced, held so that the renaming does not give it back to the disk: for a large file that
/// takes a third of the time that writing it takes, and nobody has to wait for it. Elsewhere than on Unix a file that is
/// open cannot be replaced.
fn replaced(published: &Path) -> Option<File> {
    if cfg!(unix) {
        File::open(published).ok()
    } else {
        None
    }
}

/// Elsewhere than on Unix a folder cannot be opened to be synchronised, and the file system keeps its own order.
#[cfg_attr(
    not(unix),
    expect(unused_variables, reason = "only Unix opens folders")
)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_appears_whole_with_its_folders_and_replaces_what_was_there() {
        let home = tempfile::tempdir().expect("a folder");
        let draft = home.path().join("staging/1");
        let published = home.path().join("a/b/object");

        for bytes in [b"old".as_slice(), b"the new one"] {
            publish(&draft, &published, bytes).expect("published");

            assert_eq!(fs::read(&published).expect("there"), bytes);
            assert!(!draft.exists());
        }
    }

    async fn draft_of(home: &Path, parts: &[&'static [u8]]) -> Draft {
        let (draft, published) = (home.join("staging/1"), home.join("a/b/object"));
        let begun = Draft::begin(draft, published).await;
        let mut draft = begun.expect("begun");
        // All on their way before the first has arrived.
        let arriving: Vec<UploadPart> = parts
            .iter()
            .map(|part| draft.put_part(PutPayload::from_static(part)))
            .collect();
        for arrived in futures::future::join_all(arriving).await {
            arrived.expect("written");
        }
        draft
    }

    #[tokio::test]
    async fn parts_become_an_object_in_their_order_and_only_at_the_end() {
        let home = tempfile::tempdir().expect("a folder");
        let published = home.path().join("a/b/object");

        for parts in [
            [b"first ".as_slice(), b"second ", b"third"],
            [b"n", b"e", b"w"],
        ] {
            let before = fs::read(&published).ok();
            let mut draft = draft_of(home.path(), &parts).await;
            assert_eq!(fs::read(&published).ok(), before);

            draft.complete().await.expect("published");

            assert_eq!(fs::read(&published).expect("there"), parts.concat());
            assert!(!home.path().join("staging/1").exists());
        }
    }

    #[tokio::test]
    async fn a_draft_that_is_aborted_or_dropped_leaves_nothing_and_cannot_be_completed() {
        let home = tempfile::tempdir().expect("a folder");

        let mut aborted = draft_of(home.path(), &[b"part"]).await;
        assert!(home.path().join("staging/1").exists());
        aborted.abort().await.expect("aborted");
        assert!(!home.path().join("staging/1").exists());
        aborted.complete().await.expect_err("nothing is left of it");
        drop(draft_of(home.path(), &[b"part"]).await);

        assert!(!home.path().join("staging/1").exists());
        assert!(!home.path().join("a").exists());
    }

    #[tokio::test]
    async fn a_draft_that_cannot_be_renamed_is_removed() {
        let home = tempfile::tempdir().expect("a folder");
        let in_the_way = home.path().join("a/b/object/in the way");
        fs::create_dir_all(&in_the_way).expect("made");

        let mut draft = draft_of(home.path(), &[b"part"]).await;
        draft.complete().await.expect_err("a folder is in the way");

        assert!(!home.path().join("staging/1").exists());
        assert!(in_the_way.exists());
    }

    #[test]
    fn what_cannot_be_renamed_leaves_no_draft_and_what_was_there() {
        let home = tempfile::tempdir().expect("a folder");
        let draft = home.path().join("staging/1");
        let published = home.path().join("a");
        fs::create_dir_all(published.join("in the way")).expect("made");

        publish(&draft, &published, b"bytes").expect_err("a folder is in the way");

        assert!(!draft.exists());
        assert!(published.join("in the way").exists());
    }

    #[test]
    fn several_files_appear_whole_with_their_folders_or_tell_which_stopped_them() {
        let home = tempfile::tempdir().expect("a folder");
        let publication = |draft: &str, published: &str, bytes: &'static [u8]| Publication {
            draft: home.path().join("staging").join(draft),
            published: home.path().join(published),
            bytes: Bytes::from_static(bytes),
        };

        let files = [
            publication("1", "a/b/one", b"first"),
            publication("2", "a/c/two", b"second"),
            publication("3", "a/b/one", b"again"),
        ];
        publish_all(&files).expect("published");

        assert_eq!(
            fs::read(home.path().join("a/b/one")).expect("there"),
            b"again"
        );
        assert_eq!(
            fs::read(home.path().join("a/c/two")).expect("there"),
            b"second"
        );
        let in_the_way = publication("4", "a/b", b"a folder is there");
        publish_all(&[in_the_way]).expect_err("a folder is in the way");
        let drafts = fs::read_dir(home.path().join("staging")).expect("a folder");
        assert_eq!(drafts.count(), 0);
    }

    #[test]
    fn a_rename_tells_every_folder_that_it_changed() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path();
        fs::create_dir_all(home.join("a")).expect("made");
        let published = home.join("a/b/c/object");

        for expected in [vec!["a/b/c", "a/b", "a"], vec!["a/b/c"]] {
            fs::write(home.join("draft"), "bytes").expect("written");
            let changed = rename(&home.join("draft"), &published).expect("renamed");

            let expected: Vec<PathBuf> = expected.iter().map(|below| home.join(below)).collect();
            assert_eq!(changed, expected);
        }
    }
}
