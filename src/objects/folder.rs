//! A small object in a folder on disk: written where no reader looks, on disk for good, then renamed into its place.
//!
//! The client library can do it too, in two renames with their own waits for the disk; a nightly object is small, and
//! those waits were most of what storing it took.
//!
//! Invariant: once [`publish`] returns, the object and every folder that was made for it survive a loss of power; until
//! then `published` holds what it held before.

use std::collections::BTreeSet;
#[cfg(unix)]
use std::fs::File;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Makes `bytes` the content of the file `published` in one step, by way of the file `draft` on the same disk. Blocks.
///
/// # Errors
/// When the disk refuses; nothing is left behind.
pub(super) fn publish(draft: &Path, published: &Path, bytes: &[u8]) -> io::Result<()> {
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

fn write_for_good(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let create = || OpenOptions::new().write(true).create_new(true).open(draft);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent(draft)?)?;
            create()?
        }
        created => created?,
    };
    file.write_all(bytes)?;
    file.sync_all()
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
