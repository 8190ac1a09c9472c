//! The spool: pages that were fetched, kept on disk while their attempt is open.
//!
//! A run that is killed goes on with the pages it had and fetches only the others. A kept page counts only if
//! its header and check sum fit, so one that is torn, damaged or in the way of another is fetched again,
//! and no fault of the disk can end an attempt: at worst nothing is kept. The check sum guards against disks,
//! not against people: whoever can write into home could change the ledger as well.
//!
//! Each remote query has one file, `<home>/spool/<remote query id>.pages`: what the API promised of its result, and
//! then the pages as they came, each behind a header. A file for each page would have to be made, renamed and removed,
//! hundreds of times for a large result. When the API no longer holds the query and all pages are here, the object is
//! made of them, and the practice is not asked again.
//!
//! The files hold identifiable rows as they came. They are readable by the owner alone and are removed as soon as the
//! attempt is over. A result of one small page has none, unless its object could not be published (`kept_pages.rs`).

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{PageNumber, RemoteQueryId};
use crate::remote::{Page, RemotePage, RemoteResult};

use super::records::{HEADER_BYTES, Records};

/// Stands in the place of a page's number before what was promised of the result: pages are numbered from 1.
const PROMISE: PageNumber = PageNumber(0);

/// The kept pages of one home. Clones share the count of what lies there.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    most_bytes: u64,
    bytes: Arc<AtomicU64>,
}

/// What is kept of one result, in the hands of one attempt: another that has the file open at the same time finds
/// nothing in it and keeps nothing.
#[derive(Debug)]
pub(super) struct Kept {
    spool: Spool,
    query: RemoteQueryId,
    promise: RemoteResult,
    file: KeptFile,
}

#[derive(Debug)]
enum KeptFile {
    /// None was there.
    Absent,
    Open(Records),
    /// Another attempt has it, or the disk does not give it.
    Refused,
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

    /// Removes what is kept of remote queries for which `open` does not speak.
    ///
    /// `open` is asked after the files were listed: a query is in the ledger before it has pages, so one that
    /// another process has just begun is never taken for a leftover.
    ///
    /// # Errors
    /// As `open`.
    pub fn sweep<E>(&self, open: impl FnOnce() -> Result<Vec<RemoteQueryId>, E>) -> Result<(), E> {
        let found: Vec<PathBuf> = entries(&self.folder).collect();
        if found.is_empty() {
            return Ok(());
        }
        let open: HashSet<PathBuf> = open()?.into_iter().map(|it| self.path(it)).collect();
        for path in found {
            if !open.contains(&path) {
                self.remove_entry(&path);
            }
        }
        Ok(())
    }

    /// What is to be kept of a query that was just posted, of which `result` was promised.
    pub(super) fn begin(&self, query: RemoteQueryId, result: RemoteResult) -> Kept {
        Kept {
            spool: self.clone(),
            query,
            promise: result,
            file: KeptFile::Absent,
        }
    }

    /// What is kept of a query that an earlier attempt posted, of which `result` is promised.
    pub(super) fn resume(&self, query: RemoteQueryId, result: RemoteResult) -> Kept {
        let path = self.path(query);
        let file = if path.exists() {
            self.open_file(query, &path)
        } else {
            KeptFile::Absent
        };
        Kept {
            file,
            ..self.begin(query, result)
        }
    }

    /// The result as it was promised, if every page of it seems to be kept.
    ///
    /// A promise that was damaged on disk can do no harm: the rows of the pages are compared with it.
    pub(super) fn whole_result(&self, query: RemoteQueryId) -> Option<RemoteResult> {
        let mut records = Records::read(File::open(self.path(query)).ok()?, query).ok()?;
        let (_, promise) = records.body(query, PROMISE)?;
        let result = serde_json::from_slice::<Promise>(&promise).ok()?.result();
        let whole = result.pages.iter().all(|page| records.has(page.number));
        whole.then_some(result)
    }

    /// Removes what is kept of a remote query.
    pub(super) fn remove(&self, query: RemoteQueryId) {
        self.remove_entry(&self.path(query));
    }

    /// Opens the file of `query`, which is made if it is not there.
    fn open_file(&self, query: RemoteQueryId, path: &Path) -> KeptFile {
        let opened = || {
            let file = match private_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make_folder(&self.folder)?;
                    private_file(path)?
                }
                opened => opened?,
            };
            file.try_lock()?;
            let records = Records::read(file, query)?;
            self.give_back(records.cut_rest()?);
            Ok(records)
        };
        match opened() {
            Ok(records) => KeptFile::Open(records),
            Err::<_, io::Error>(error) => {
                not_kept(query, &error);
                KeptFile::Refused
            }
        }
    }

    /// Takes `bytes` of the room that there is; whether there are as many.
    fn take(&self, bytes: u64) -> bool {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.most_bytes;
        if !fits {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Files of another process may have come since the count, so it never goes below nothing.
    fn give_back(&self, bytes: u64) {
        self.bytes
            .update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                now.saturating_sub(bytes)
            });
    }

    /// Removes a file, or a folder with its files as former versions kept one for each query.
    fn remove_entry(&self, entry: &Path) {
        let Ok(found) = entry.symlink_metadata() else {
            return;
        };
        let (bytes, removed) = if found.is_dir() {
            (size_of(entry), fs::remove_dir_all(entry))
        } else {
            (found.len(), fs::remove_file(entry))
        };
        match removed {
            Ok(()) => self.give_back(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %entry.display(), %error, "kept pages could not be removed; the next run tries again");
            }
        }
    }

    fn path(&self, query: RemoteQueryId) -> PathBuf {
        self.folder.join(format!("{query}.pages"))
    }
}

impl Kept {
    /// Whether a page seems to be kept; whether it is whole shows when it is read.
    pub(super) fn has(&self, page: PageNumber) -> bool {
        matches!(&self.file, KeptFile::Open(records) if records.has(page))
    }

    /// A kept page, if it is whole and the API still declares as many rows for it.
    pub(super) fn read(&mut self, page: RemotePage) -> Option<Page> {
        let KeptFile::Open(records) = &mut self.file else {
            return None;
        };
        let (rows, body) = records.body(self.query, page.number)?;
        let fits = page.rows.is_none() || page.rows == rows;
        fits.then(|| Page::new(page.number, rows, body))
    }

    /// Keeps a page, and before the first one what was promised, unless there is no room or the disk does not take it.
    pub(super) fn keep(&mut self, page: &Page) {
        self.keep_promise();
        self.append(page.number, page.rows_declared, page.body());
    }

    /// Keeps what was promised of the result, unless it is kept.
    pub(super) fn keep_promise(&mut self) {
        if !self.has(PROMISE) {
            let promise =
                serde_json::to_vec(&Promise::of(&self.promise)).expect("numbers are JSON");
            self.append(PROMISE, None, &promise);
        }
    }

    /// Removes what is kept. The disk gets its room back when this is dropped, which takes a while for much of it.
    pub(super) fn remove(&self) {
        self.spool.remove(self.query);
    }

    /// Whether there is no file of the query.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.file, KeptFile::Absent)
    }

    fn append(&mut self, number: PageNumber, rows: Option<u64>, body: &[u8]) {
        let size = (HEADER_BYTES + body.len()) as u64;
        if !self.spool.take(size) {
            return;
        }
        if matches!(self.file, KeptFile::Absent) {
            let path = self.spool.path(self.query);
            self.file = self.spool.open_file(self.query, &path);
        }
        let kept = match &mut self.file {
            KeptFile::Open(records) => records
                .append(self.query, number, rows, body)
                .inspect_err(|error| not_kept(self.query, error))
                .is_ok(),
            KeptFile::Absent | KeptFile::Refused => false,
        };
        if !kept {
            self.spool.give_back(size);
        }
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

fn not_kept(query: RemoteQueryId, error: &io::Error) {
    tracing::debug!(remote_query = %query, %error, "not kept");
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

/// The file at `path`, which only its owner may read, to read and to write.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
