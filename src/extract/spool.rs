//! The spool: pages that were fetched, kept on disk while their attempt is open.
//!
//! A run that is killed goes on with the pages it had and fetches only the others. A kept page counts only if
//! its header and check sum fit, so a file that is torn, damaged or in the way of another page is fetched again,
//! and no fault of the disk can end an attempt: at worst nothing is kept. The check sum guards against disks,
//! not against people: whoever can write into home could change the ledger as well.
//!
//! Beside the pages lies what the API promised of the result. When it no longer holds the query and all pages
//! are here, the object is made of them, and the practice is not asked again.
//!
//! The files hold identifiable rows as they came. They are readable by the owner alone, lie in
//! `<home>/spool/<remote query id>/`, and are removed as soon as the attempt is over. The page of a result that has
//! only one tells all that matters of the promise and lies there alone, as `<home>/spool/<remote query id>.page`; a
//! small one only where its object could not be published (`kept_pages.rs`).

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::Crc;
use serde::{Deserialize, Serialize};

use crate::domain::{PageNumber, RemoteQueryId};
use crate::remote::{Page, RemotePage, RemoteResult};

/// Begins every file; the last byte is the version of the layout.
const MAGIC: [u8; 4] = *b"HxP\x02";

/// Magic, remote query, number of the page, declared rows, size of the body, check sum.
const HEADER_BYTES: usize = 4 + 16 + 4 + 8 + 8 + 4;

/// What was promised of the result, beside its pages.
const PROMISE: &str = "result.json";

/// Stands for a page whose rows were not declared.
const NOT_DECLARED: u64 = u64::MAX;

/// The kept pages of one home. Clones share the count of what lies there.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    most_bytes: u64,
    bytes: Arc<AtomicU64>,
}

impl Spool {
    /// The spool in `home`, which keeps at most `most_bytes`; nothing is kept if that is 0.
    ///
    /// What other processes keep at the same time is counted only as it lies there now.
    #[must_use]
    pub fn open(home: &Path, most_bytes: u64) -> Self {
        let folder = home.join("spool");
        let bytes = size_of(&folder);
        Self {
            folder,
            most_bytes,
            bytes: Arc::new(AtomicU64::new(bytes)),
        }
    }

    /// Removes the pages of remote queries for which `open` does not speak.
    ///
    /// `open` is asked after the folders were listed: a query is in the ledger before it has pages, so one that
    /// another process has just begun is never taken for a leftover.
    ///
    /// # Errors
    /// As `open`.
    pub fn sweep<E>(&self, open: impl FnOnce() -> Result<Vec<RemoteQueryId>, E>) -> Result<(), E> {
        let found: Vec<PathBuf> = entries(&self.folder).collect();
        if found.is_empty() {
            return Ok(());
        }
        let open: HashSet<String> = open()?.iter().map(ToString::to_string).collect();
        for folder in found {
            let name = folder.file_stem().and_then(|name| name.to_str());
            if !name.is_some_and(|name| open.contains(name)) {
                self.remove_entry(&folder);
            }
        }
        Ok(())
    }

    /// The numbers of the pages that seem to be kept; whether one is whole shows when it is read.
    pub(super) fn kept(&self, query: RemoteQueryId) -> BTreeSet<PageNumber> {
        if self.only_page(query).exists() {
            return BTreeSet::from([PageNumber::FIRST]);
        }
        entries(&self.folder_of(query))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "page")
            })
            .filter_map(|path| path.file_stem()?.to_str()?.parse().ok().map(PageNumber))
            .collect()
    }

    /// A kept page, if it is whole and the API still declares as many rows for it.
    pub(super) fn read(&self, query: RemoteQueryId, page: RemotePage) -> Option<Page> {
        let bytes = fs::read(self.path(query, page.number))
            .or_else(|_| fs::read(self.only_page(query)))
            .ok()?;
        let (rows, body) = unpack(query, page.number, bytes)?;
        let fits = page.rows.is_none() || page.rows == rows;
        fits.then(|| Page::new(page.number, rows, body))
    }

    /// Keeps a page, unless there is no room or the disk does not take it.
    pub(super) fn keep(&self, query: RemoteQueryId, page: &Page) {
        let path = self.path(query, page.number);
        self.put(query, &path, &[&header(query, page), page.body()]);
    }

    /// Keeps the only page of a result, as [`Spool::keep`] keeps one of several.
    pub(super) fn keep_only(&self, query: RemoteQueryId, page: &Page) {
        let path = self.only_page(query);
        self.put(query, &path, &[&header(query, page), page.body()]);
    }

    /// Keeps what the API promises of a result, as [`Spool::keep`] keeps its pages.
    pub(super) fn keep_result(&self, query: RemoteQueryId, result: &RemoteResult) {
        let path = self.folder_of(query).join(PROMISE);
        if !path.exists() {
            let promise = serde_json::to_vec(&Promise::of(result)).expect("numbers are JSON");
            self.put(query, &path, &[&promise]);
        }
    }

    /// The result as it was promised, if every page of it seems to be kept.
    ///
    /// A promise that was damaged on disk can do no harm: the rows of the pages are compared with it.
    pub(super) fn whole_result(&self, query: RemoteQueryId) -> Option<RemoteResult> {
        if let Ok(bytes) = fs::read(self.only_page(query)) {
            let (rows, body) = unpack(query, PageNumber::FIRST, bytes)?;
            return Some(RemoteResult {
                rows: rows?,
                size_bytes: body.len() as u64,
                pages: vec![RemotePage {
                    number: PageNumber::FIRST,
                    rows,
                }],
                sql_duration: None,
            });
        }
        let promise = fs::read(self.folder_of(query).join(PROMISE)).ok()?;
        let result = serde_json::from_slice::<Promise>(&promise).ok()?.result();
        let kept = self.kept(query);
        let whole = result.pages.iter().all(|page| kept.contains(&page.number));
        whole.then_some(result)
    }

    fn put(&self, query: RemoteQueryId, path: &Path, parts: &[&[u8]]) {
        let size = parts.iter().map(|part| part.len() as u64).sum::<u64>();
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        let kept = if before.saturating_add(size) > self.most_bytes {
            Ok(false)
        } else {
            self.write(query, path, parts).map(|()| true)
        };
        match kept {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(remote_query = %query, path = %path.display(), %error, "not kept");
            }
        }
        self.bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// Removes the pages of a remote query.
    pub(super) fn remove(&self, query: RemoteQueryId) {
        if !self.remove_entry(&self.only_page(query)) {
            self.remove_entry(&self.folder_of(query));
        }
    }

    /// Removes a file or a folder with its files; whether it was there.
    fn remove_entry(&self, entry: &Path) -> bool {
        let Ok(found) = entry.symlink_metadata() else {
            return false;
        };
        let (bytes, removed) = if found.is_dir() {
            (size_of(entry), fs::remove_dir_all(entry))
        } else {
            (found.len(), fs::remove_file(entry))
        };
        match removed {
            Ok(()) => {
                // Files of another process may have come since the count, so it never goes below nothing.
                self.bytes
                    .update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                        now.saturating_sub(bytes)
                    });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %entry.display(), %error, "kept pages could not be removed; the next run tries again");
            }
        }
        true
    }

    /// Written under another name first, so that a file is there whole or not at all unless the machine stops.
    fn write(&self, query: RemoteQueryId, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let mut file = match private_file(&draft) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(&self.folder)?;
                if path.starts_with(self.folder_of(query)) {
                    make_folder(&self.folder_of(query))?;
                }
                private_file(&draft)?
            }
            opened => opened?,
        };
        parts
            .iter()
            .try_for_each(|part| file.write_all(part))
            .and_then(|()| fs::rename(&draft, path))
            .inspect_err(|_| drop(fs::remove_file(&draft)))
    }

    fn folder_of(&self, query: RemoteQueryId) -> PathBuf {
        self.folder.join(query.to_string())
    }

    fn only_page(&self, query: RemoteQueryId) -> PathBuf {
        self.folder.join(format!("{query}.page"))
    }

    fn path(&self, query: RemoteQueryId, page: PageNumber) -> PathBuf {
        self.folder_of(query).join(format!("{}.page", page.0))
    }
}

/// What the API promised of a result, as it is kept.
#[derive(Serialize, Deserialize)]
struct Promise {
    rows: u64,
    size_bytes: u64,
    /// Rows of each page, the first page first; absent where none were declared.
    pages: Vec<Option<u64>>,
    sql_ms: Option<u64>,
}

impl Promise {
    fn of(result: &RemoteResult) -> Self {
        Self {
            rows: result.rows,
            size_bytes: result.size_bytes,
            pages: result.pages.iter().map(|page| page.rows).collect(),
            sql_ms: result
                .sql_duration
                .map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn result(self) -> RemoteResult {
        let pages = (1..).map(PageNumber).zip(self.pages);
        RemoteResult {
            rows: self.rows,
            size_bytes: self.size_bytes,
            pages: pages
                .map(|(number, rows)| RemotePage { number, rows })
                .collect(),
            sql_duration: self.sql_ms.map(Duration::from_millis),
        }
    }
}

fn header(query: RemoteQueryId, page: &Page) -> Vec<u8> {
    let rows = page.rows_declared.unwrap_or(NOT_DECLARED);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(query.0.as_bytes());
    header.extend_from_slice(&page.number.0.to_le_bytes());
    header.extend_from_slice(&rows.to_le_bytes());
    header.extend_from_slice(&(page.size_bytes() as u64).to_le_bytes());
    let sum = check_sum(&header, page.body());
    header.extend_from_slice(&sum.to_le_bytes());
    header
}

/// The declared rows and the body of a file that is whole and belongs to this page.
fn unpack(
    query: RemoteQueryId,
    page: PageNumber,
    mut bytes: Vec<u8>,
) -> Option<(Option<u64>, Vec<u8>)> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES)?;
    let (told, sum) = header.split_last_chunk()?;
    let rest = told.strip_prefix(&MAGIC)?;
    let rest = rest.strip_prefix(query.0.as_bytes())?;
    let rest = rest.strip_prefix(&page.0.to_le_bytes())?;
    let (rows, rest) = rest.split_first_chunk()?;
    let (size, _) = rest.split_first_chunk()?;
    let rows = u64::from_le_bytes(*rows);
    let whole = u64::from_le_bytes(*size) == body.len() as u64
        && u32::from_le_bytes(*sum) == check_sum(told, body);
    if !whole {
        return None;
    }
    bytes.drain(..HEADER_BYTES);
    Some(((rows != NOT_DECLARED).then_some(rows), bytes))
}

/// CRC-32 over all that is kept of a page.
fn check_sum(told: &[u8], body: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(told);
    sum.update(body);
    sum.sum()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

/// Bytes of the files below a folder; a link is not followed.
fn size_of(folder: &Path) -> u64 {
    entries(folder)
        .filter_map(|path| {
            let found = path.symlink_metadata().ok()?;
            Some(if found.is_dir() {
                size_of(&path)
            } else {
                found.len()
            })
        })
        .sum()
}

/// Makes a folder that only its owner may enter. Elsewhere than on Unix, the rights of home apply.
fn make_folder(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
