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

use tokio::sync::{Notify, OwnedMutexGuard};

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
    /// Held while a thread flushes for tasks.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Rung when such a flush has ended: all for whom it was go on at once, and one of the others begins the next. In a
    /// queue each would go on only after the task before it had, which is most of the wait where many wait.
    ended: Notify,
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
            turn: Arc::default(),
            ended: Notify::new(),
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
        loop {
            // Registered before looking, so that an end between looking and waiting is not missed.
            let ended = self.ended.notified();
            if self.has(number) {
                return Ok(());
            }
            if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() {
                return self.flush_for_all(number, turn).await;
            }
            ended.await;
        }
    }

    /// Rings when it has ended, even where nobody waits any more for this call.
    async fn flush_for_all(
        self: &Arc<Self>,
        number: u64,
        turn: OwnedMutexGuard<()>,
    ) -> io::Result<()> {
        let disk = Arc::clone(self);
        let flush = move || {
            let flushed = disk.wait(number);
            drop(turn);
            disk.ended.notify_waiters();
            flushed
        };
        let flushed = tokio::task::spawn_blocking(flush).await;
        flushed.map_err(io::Error::from).flatten()
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

    #[tokio::test]
    async fn tasks_go_on_though_the_one_whose_thread_flushes_is_dropped() {
        let (_folder, disk) = disk();
        let disk = Arc::new(disk);
        let number = disk.committed();
        let settled = || {
            let disk = Arc::clone(&disk);
            tokio::spawn(async move { disk.settled(number).await })
        };
        // No flush ends before both tasks wait for it.
        let (both_wait, go_on) = std::sync::mpsc::channel::<()>();
        let (held, is_held) = std::sync::mpsc::channel();
        let holder = Arc::clone(&disk);
        let holder = std::thread::spawn(move || {
            let _flushing = holder.flushing.lock();
            held.send(()).expect("waited for");
            go_on.recv().expect("told");
        });
        is_held.recv().expect("held");

        let first = settled();
        tokio::task::yield_now().await;
        let second = settled();
        tokio::task::yield_now().await;
        assert!(disk.turn.try_lock().is_err(), "the first has begun");
        first.abort();
        both_wait.send(()).expect("waited for");

        second.await.expect("no panic").expect("flushed");
        assert!(disk.has(number));
        holder.join().expect("no panic");
    }
}
