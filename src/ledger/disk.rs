//! Waiting for the disk, together: one flush for all who wait at the same time.
//!
//! SQLite could wait at the end of each commit (`synchronous = full`), and does so while it holds the database: a
//! disk that takes 2 ms then lets 500 commits a second pass, whoever waits. Here a commit only appends to the
//! write-ahead log, and whoever needs it to survive a loss of power flushes the log afterwards, with everything
//! that was appended until then. Several who wait are served by one flush. The log is consistent at every moment;
//! SQLite itself flushes it before it moves anything into the database.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The write-ahead log of an open ledger, and how much of it is known to be on the disk.
#[derive(Debug)]
pub(super) struct Disk {
    log: File,
    /// Number of the last commit, from 1.
    committed: AtomicU64,
    /// Number of the last commit that is on the disk.
    flushed: AtomicU64,
    /// Held by the thread that flushes.
    flushing: Mutex<()>,
    /// Held by the task whose thread flushes: the others wait here, and mostly find that it flushed for them too.
    turn: tokio::sync::Mutex<()>,
}

impl Disk {
    /// The log beside the database at `path`, which a connection has open in WAL mode.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            log: OpenOptions::new().write(true).open(log)?,
            committed: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            flushing: Mutex::new(()),
            turn: tokio::sync::Mutex::new(()),
        })
    }

    /// Gives a commit its number. To be called before the database is let go, so that commits are numbered in the
    /// order in which the log has them.
    pub(super) fn committed(&self) -> u64 {
        self.committed.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Returns once the commit of this number is on the disk.
    pub(super) fn wait(&self, number: u64) -> io::Result<()> {
        self.wait_by(number, || self.log.sync_data())
    }

    /// As [`wait`](Self::wait), for tasks: one thread is held up for all who wait at the same time.
    pub(super) async fn settled(self: &Arc<Self>, number: u64) -> io::Result<()> {
        if self.has(number) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.has(number) {
            return Ok(());
        }
        let disk = Arc::clone(self);
        let waited = tokio::task::spawn_blocking(move || disk.wait(number)).await;
        waited.map_err(io::Error::from).flatten()
    }

    fn has(&self, number: u64) -> bool {
        self.flushed.load(Ordering::SeqCst) >= number
    }

    fn wait_by(&self, number: u64, flush: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _flushing = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(number) {
            return Ok(());
        }
        // Whatever has a number now is in the log before the flush begins.
        let appended = self.committed.load(Ordering::SeqCst);
        flush()?;
        self.flushed.store(appended, Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn disk() -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        std::fs::write(folder.path().join("ledger.sqlite-wal"), "").expect("written");
        let disk = Disk::of(&path).expect("a log");
        (folder, disk)
    }

    #[test]
    fn whoever_waits_at_the_same_time_is_served_by_one_flush() {
        const WRITERS: usize = 32;
        let (_folder, disk) = disk();
        let all_committed = Barrier::new(WRITERS);
        let flushes = AtomicU64::new(0);
        let flush = || {
            flushes.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };

        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    let number = disk.committed();
                    all_committed.wait();
                    disk.wait_by(number, flush).expect("flushed");
                    assert_eq!(flushes.load(Ordering::SeqCst), 1);
                });
            }
        });

        assert_eq!(flushes.into_inner(), 1);
    }

    #[test]
    fn what_is_committed_during_a_flush_waits_for_the_next() {
        let (_folder, disk) = disk();
        let first = disk.committed();
        let mut during = None;

        disk.wait_by(first, || {
            during = Some(disk.committed());
            Ok(())
        })
        .expect("flushed");

        let mut flushed_again = false;
        let again = disk.wait_by(during.expect("committed"), || {
            flushed_again = true;
            Ok(())
        });
        again.expect("flushed");
        assert!(flushed_again);
    }

    #[test]
    fn a_flush_that_failed_counts_for_nobody() {
        let (_folder, disk) = disk();
        let number = disk.committed();

        let failed = disk.wait_by(number, || Err(io::Error::other("the disk is gone")));
        assert!(failed.is_err());

        let mut tried_again = false;
        let again = disk.wait_by(number, || {
            tried_again = true;
            Ok(())
        });
        again.expect("flushed");
        assert!(tried_again);
    }

    #[tokio::test]
    async fn tasks_find_their_commits_on_the_disk_and_who_wrote_nothing_waits_for_nobody() {
        let (_folder, disk) = disk();
        let disk = Arc::new(disk);
        let numbers: Vec<u64> = (0..32).map(|_| disk.committed()).collect();

        let turn = disk.turn.lock().await;
        disk.settled(0).await.expect("nothing to wait for");
        assert!(!disk.has(1));
        drop(turn);
        let settled = numbers.iter().map(|number| async {
            disk.settled(*number).await.expect("flushed");
            assert!(disk.has(*number));
        });
        futures::future::join_all(settled).await;
    }
}
