//! A ledger on its way to another machine: one consistent file out, checked and made ours when it comes in.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::domain::{Environment, Waiting};

use super::column::millis;
use super::{Change, Ledger, LedgerError, LedgerErrorKind, schema};

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Sites in it.
    pub sites: u64,
    /// Extractions in it.
    pub extractions: u64,
    /// Claims of the other machine's workers that were given back.
    pub claims_given_back: u64,
    /// Schema of the file as it came.
    pub schema: u32,
}

impl Ledger {
    /// Writes a consistent copy of the ledger to `file`, which must not exist, with an audit entry in both. Others
    /// may go on writing meanwhile: the copy is the ledger as it was at one instant. Returns its size in bytes.
    ///
    /// The copy appears under its name when it is complete, and only its owner can read it.
    ///
    /// # Errors
    /// When `file` exists or cannot be written, or the ledger cannot be read.
    pub fn export(&self, file: &Path, change: &Change) -> Result<u64, LedgerError> {
        const DOING: &str = "export the ledger";
        let refused = |error| LedgerErrorKind::Copy(error, file.to_owned()).at(self.path(), DOING);
        if file.exists() {
            return Err(refused(io::ErrorKind::AlreadyExists.into()));
        }
        self.record_audit(change, "ledger", std::collections::BTreeMap::new())?;
        let unfinished = Unfinished::beside(file, "exporting").map_err(refused)?;
        self.outside_transactions(DOING, |connection| {
            connection.execute("VACUUM INTO ?1", [unfinished.path.to_string_lossy()])?;
            Ok(())
        })?;
        keep_private(&unfinished.path).map_err(refused)?;
        unfinished.finish(file).map_err(refused)?;
        fs::metadata(file).map(|found| found.len()).map_err(refused)
    }

    /// Makes the exported `file` the ledger at `path`, where there must be none, with an audit entry.
    ///
    /// It is checked and migrated in a copy before it gets its name. Claims of the other machine's workers are given
    /// back: what they had asked is gone on with here, so nothing must run over there any more.
    ///
    /// # Errors
    /// When there is a ledger at `path`; when `file` cannot be read, is damaged, is no ledger, belongs to another
    /// environment or was written by a newer program. Nothing is left at `path` then.
    pub fn import(
        file: &Path,
        path: &Path,
        environment: Environment,
        change: &Change,
    ) -> Result<Imported, LedgerError> {
        const DOING: &str = "import the ledger";
        let refused = |error| LedgerErrorKind::Copy(error, file.to_owned()).at(path, DOING);
        if path.exists() {
            return Err(LedgerErrorKind::AlreadyThere.at(path, DOING));
        }
        let schema = schema_of_whole(file).map_err(|kind| kind.at(file, DOING))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| LedgerErrorKind::Folder(error).at(path, DOING))?;
        }
        let copy = Unfinished::beside(path, "importing").map_err(refused)?;
        fs::copy(file, &copy.path).map_err(refused)?;
        keep_private(&copy.path).map_err(refused)?;
        let ledger = Self::open(&copy.path, environment)?;
        let mut imported = ledger.take_over(change)?;
        imported.schema = schema;
        // All of it into the one file, so that the rename takes everything along.
        ledger.outside_transactions(DOING, |connection| {
            Ok(connection.execute_batch("PRAGMA journal_mode = delete;")?)
        })?;
        drop(ledger);
        copy.finish(path).map_err(refused)?;
        Ok(imported)
    }

    /// Gives every claim back and says in the audit where the ledger came from.
    fn take_over(&self, change: &Change) -> Result<Imported, LedgerError> {
        let imported = self.write("give the claims of another machine back", |transaction| {
            let claims_given_back = transaction.execute(
                "UPDATE extraction SET state = 'pending', detail = ?1, not_before = ?2, changed_at = ?2,
                                       worker = NULL, lease_until = NULL
                 WHERE state = 'running'",
                rusqlite::params![Waiting::Interrupted.to_string(), millis(change.at)],
            )?;
            let count = |table: &str| {
                transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })
            };
            Ok(Imported {
                sites: count("site")?,
                extractions: count("extraction")?,
                claims_given_back: claims_given_back as u64,
                schema: schema::known(),
            })
        })?;
        self.record_audit(change, "ledger", std::collections::BTreeMap::new())?;
        Ok(imported)
    }
}

/// The schema of a file that is a whole ledger, found without writing to it.
fn schema_of_whole(file: &Path) -> Result<u32, LedgerErrorKind> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    schema::refuse_a_stranger(&connection)?;
    let found: u32 = schema::version(&connection)?;
    if found == 0 {
        return Err(LedgerErrorKind::NotALedger);
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(found)
    } else {
        Err(LedgerErrorKind::Torn)
    }
}

/// A file that gets its name when it is complete, and is removed otherwise.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn beside(place: &Path, doing: &str) -> io::Result<Self> {
        let name = place.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let path = place.with_file_name(format!("{}.{doing}", name.to_string_lossy()));
        // What an earlier try left behind.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self { path }),
        }
    }

    fn finish(self, place: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, place)?;
        #[cfg(unix)]
        if let Some(folder) = place.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            // After a success none of them is there.
            drop(fs::remove_file(path));
        }
    }
}

/// A ledger names practices: nobody but its owner reads it.
fn keep_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _stays_with_the_rights_of_its_folder = path;
    Ok(())
}
