//! A small object in a folder on disk: written where no reader looks, on disk for good, then renamed into its place.
//!
//! The client library can do it too, in two renames with their own waits for the disk; a nightly object is small, and
//! those waits were most of what storing it took.
//!
//! Invariant: once [`publish`] returns, the object and every folder that was made for it survive a loss of power; until
//! then `published` holds what it held before.

#[cfg(unix)]
use std::fs::File;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

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
    for changed in folder.ancestors() {
        sync_folder(changed)?;
        if changed == oldest {
            break;
        }
    }
    Ok(())
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
}
