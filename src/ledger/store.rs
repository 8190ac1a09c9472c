//! The open ledger: one SQLite connection, and the two ways to use it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::domain::Environment;

use super::disk::Disk;
use super::{LedgerError, LedgerErrorKind, schema};

/// How long a call waits for another process to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an opening waits for another process that brings the same file up to date: a table of millions of rows that is
/// made anew takes a minute on a slow disk.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(120);

/// Pages of the database that stay in memory, in KiB: twice SQLite's default, because a fleet's night goes all over the
/// indexes. Of a page that has to leave before its transaction ends, the log gets a copy each time.
const PAGES_KIB: i64 = 4_000;

/// Pages in the write-ahead log (16 MB) at which a commit moves them into the database. The pages that all write to are
/// in it many times and are moved once, so that a longer log is less work: with SQLite's default of 1,000 pages planning a
/// fleet's night took a seventh longer. With 16,000 it was no faster, and the commit that moves them takes longer.
const LOG_PAGES: i64 = 4_000;

/// The durable record of sites, plans, attempts and objects, in one SQLite file.
///
/// It may be shared between threads, and several processes may open the same file. Keep the file on a
/// local disk: SQLite's locks do not hold on network drives.
#[derive(Debug)]
pub struct Ledger {
    open: Arc<Open>,
    /// The last commit that whoever has this view must wait for; `None` where each call waits for its own.
    owed: Option<AtomicU64>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    connection: Mutex<Connection>,
    disk: Arc<Disk>,
}

impl Ledger {
    /// Opens the ledger at `path` for `environment`; makes or migrates it when needed.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is not a ledger, was migrated by a newer program, or
    /// belongs to another environment. A file that is refused is left as it was.
    pub fn open(path: &Path, environment: Environment) -> Result<Self, LedgerError> {
        let open = || {
            let connection = open_connection(path, environment)?;
            let disk = Disk::of(path).map_err(LedgerErrorKind::Flush)?;
            Ok((connection, disk))
        };
        let (connection, disk) =
            open().map_err(|kind: LedgerErrorKind| kind.at(path, "open the ledger"))?;
        Ok(Self {
            open: Arc::new(Open {
                path: path.to_owned(),
                connection: Mutex::new(connection),
                disk: Arc::new(disk),
            }),
            owed: None,
        })
    }

    /// The same ledger for calls that must not block for long: what they write is in the log when they return, and on
    /// the disk once [`Ledger::settled`] has been waited for. Until then a loss of power, not the end of a process,
    /// may undo it.
    #[must_use]
    pub fn owing(&self) -> Self {
        Self {
            open: Arc::clone(&self.open),
            owed: Some(AtomicU64::new(0)),
        }
    }

    /// Waits until all that was written through this [owing](Ledger::owing) view is on the disk. Tasks that wait at the
    /// same time are served together.
    ///
    /// # Errors
    /// When the disk refuses; nothing is known then of what was written since the last call.
    ///
    /// # Cancel safety
    /// Dropping the future leaves what was written in the log.
    pub async fn settled(&self) -> Result<(), LedgerError> {
        let Some(owed) = &self.owed else {
            return Ok(());
        };
        let settled = self.open.disk.settled(owed.load(Ordering::SeqCst)).await;
        settled
            .map_err(LedgerErrorKind::Flush)
            .map_err(|kind| kind.at(self.path(), "wait for the disk"))
    }

    /// Whether no other thread is at work in the ledger now, so that a call would not wait for it.
    #[must_use]
    pub fn is_free(&self) -> bool {
        !matches!(
            self.open.connection.try_lock(),
            Err(TryLockError::WouldBlock)
        )
    }

    /// The ledger's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.open.path
    }

    /// Runs `body` in one write transaction, all of it recorded or nothing, and waits until it is on the disk, or leaves
    /// that to [`settled`](Self::settled).
    ///
    /// The transaction takes the write lock at its start, because one that reads first and writes later
    /// fails at once when another process wrote in between, whatever the busy timeout.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerErrorKind>,
    ) -> Result<T, LedgerError> {
        let run = || {
            let (value, number) = self.commit(body)?;
            match (number, &self.owed) {
                (None, _) => {}
                (Some(number), Some(owed)) => {
                    owed.fetch_max(number, Ordering::SeqCst);
                }
                (Some(number), None) => {
                    let flushed = self.open.disk.wait(number);
                    flushed.map_err(LedgerErrorKind::Flush)?;
                }
            }
            Ok(value)
        };
        run().map_err(|kind: LedgerErrorKind| kind.at(self.path(), doing))
    }

    /// Runs `body` as [`write`](Self::write) does, but does not wait for the disk: the next `write` takes it along,
    /// and until then a loss of power, not the end of a process, may undo it.
    ///
    /// For what a worker that lost its power lost as well: that it has an extraction, and how far it is. Waiting
    /// for the disk is most of what a small extraction costs in the ledger.
    pub(super) fn write_without_wait<T>(
        &self,
        doing: &'static str,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerErrorKind>,
    ) -> Result<T, LedgerError> {
        let value = self.commit(body).map(|(value, _)| value);
        value.map_err(|kind| kind.at(self.path(), doing))
    }

    /// One write transaction, and its number if it changed anything; rolled back when `body` fails.
    fn commit<T>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerErrorKind>,
    ) -> Result<(T, Option<u64>), LedgerErrorKind> {
        let mut connection = self.connection();
        let before = connection.total_changes();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = body(&transaction)?;
        transaction.commit()?;
        let changed = connection.total_changes() != before;
        Ok((value, changed.then(|| self.open.disk.committed())))
    }

    /// Runs `body` on one consistent view of the ledger.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerErrorKind>,
    ) -> Result<T, LedgerError> {
        let run = || {
            let mut connection = self.connection();
            let transaction = connection.transaction()?;
            body(&transaction)
        };
        run().map_err(|kind| kind.at(self.path(), doing))
    }

    /// Runs `body` where no transaction may be open: SQLite copies and rewrites whole files only there.
    pub(super) fn outside_transactions<T>(
        &self,
        doing: &'static str,
        body: impl FnOnce(&Connection) -> Result<T, LedgerErrorKind>,
    ) -> Result<T, LedgerError> {
        body(&self.connection()).map_err(|kind| kind.at(self.path(), doing))
    }

    /// A panic in another thread leaves nothing half done here: its transaction was rolled back when it
    /// unwound, so the poison is not passed on.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.open
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_connection(path: &Path, environment: Environment) -> Result<Connection, LedgerErrorKind> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(LedgerErrorKind::Folder)?;
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else SQLite plans a prepared statement again for each new value of a parameter: that was a fifth of what a
    // small extraction took.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    schema::refuse_a_stranger(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    if schema::version(&connection)? < schema::known() {
        connection.busy_timeout(MIGRATION_TIMEOUT)?;
    }
    schema::migrate(&mut connection, environment)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -PAGES_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    // From here on it is `Disk` that waits.
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(connection)
}
