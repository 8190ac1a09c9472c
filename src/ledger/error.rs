//! What can go wrong with the ledger, in words that say what to do next.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::domain::{Environment, Extraction, ProofError, SiteKey};

/// A call on the ledger that could not be carried out. Nothing of it was recorded.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} (ledger {})", path.display())]
pub struct LedgerError {
    /// The ledger's file.
    pub path: PathBuf,
    /// What was attempted: "record a success".
    pub doing: &'static str,
    /// Why it failed.
    #[source]
    pub kind: LedgerErrorKind,
}

/// Why a call on the ledger failed, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerErrorKind {
    /// The folder for the file could not be made.
    #[error("its folder cannot be made · check --home and the permissions of the folder above")]
    Folder(#[source] std::io::Error),
    /// The file is not SQLite, or is another program's database.
    #[error(
        "the file is not a ledger of this program · choose another --home, or move the file away so that a new ledger is made"
    )]
    NotALedger,
    /// A newer program has migrated it.
    #[error(
        "it has schema {found} and this program knows up to {known} · run the newer program, or restore the copy taken before the upgrade"
    )]
    Newer {
        /// Schema number of the file.
        found: u32,
        /// Latest schema number this program knows.
        known: u32,
    },
    /// The file belongs to another environment.
    #[error(
        "it belongs to the {found} environment and {asked} was asked for · use one --home per environment, or pass --environment {found}"
    )]
    OtherEnvironment {
        /// Environment of the file.
        found: String,
        /// Environment of this run.
        asked: Environment,
    },
    /// Another process held the file for longer than we wait.
    #[error(
        "another process has it locked · wait for that process or stop it, then run the same command again"
    )]
    Locked(#[source] rusqlite::Error),
    /// No room to write.
    #[error(
        "the disk is full · free some space and run the same command again; what was recorded before is safe"
    )]
    DiskFull(#[source] rusqlite::Error),
    /// What was recorded could not be brought to the disk.
    #[error(
        "its log cannot be written through to the disk · check that the disk is well and local, then run the same command again"
    )]
    Flush(#[source] std::io::Error),
    /// The files that turns are locks of cannot be used.
    #[error(
        "its files .turn and .queue cannot be locked · give this user write permission in its folder, which must be on a local disk"
    )]
    Turn(#[source] std::io::Error),
    /// The file or its folder cannot be written.
    #[error(
        "it cannot be written · give this user write permission on the file and its folder (SQLite keeps -wal and -shm files beside it)"
    )]
    ReadOnly(#[source] rusqlite::Error),
    /// The file cannot be opened.
    #[error("the file cannot be opened · check --home and the permissions of file and folder")]
    CannotOpen(#[source] rusqlite::Error),
    /// SQLite found damage.
    #[error(
        "the file is damaged · keep a copy, restore the last backup and run the same command again; published objects are not affected"
    )]
    Corrupt(#[source] rusqlite::Error),
    /// Rows refer to rows that are not there, which an upgrade found before it changed anything.
    #[error(
        "a row of table {of} refers to one of {to} that is not there · the file is as it was: keep a copy, restore the last backup and run the same command again"
    )]
    Dangling {
        /// Table of the row.
        of: String,
        /// Table in which the other is missing.
        to: String,
    },
    /// A stored value is not what its type asks for.
    #[error(
        "a stored value cannot be read · it was written by a newer program or edited by hand; run the newer program or restore a backup"
    )]
    Unreadable(#[source] rusqlite::Error),
    /// The site is not registered.
    #[error("site {0} is not in the registry · pair or add it first")]
    UnknownSite(SiteKey),
    /// Two site keys for one practice database.
    #[error("the practice id of site {0} is registered under another key already · use that key")]
    SiteTwice(SiteKey),
    /// The extraction was never planned.
    #[error("{0} was never planned · plan it with `run` or `backfill plan`")]
    UnknownExtraction(Extraction),
    /// The row counts are not a proof.
    #[error("the object must not be recorded")]
    BrokenProof(#[source] ProofError),
    /// The object has another number of rows than the proof.
    #[error("the object must not be recorded: it has {object} rows and the proof says {proof}")]
    OtherRows {
        /// Rows that the object record tells.
        object: u64,
        /// Rows that the proof tells.
        proof: u64,
    },
    /// An exported file cannot be written or read.
    #[error("the file {} cannot be used · name one that does not exist yet to export, one that this user may read to import", .1.display())]
    Copy(#[source] std::io::Error, PathBuf),
    /// There is a ledger already where one was to be imported.
    #[error(
        "there is a ledger in this home already · choose a new --home; a ledger is imported whole and never merged"
    )]
    AlreadyThere,
    /// A file that is to be imported is damaged.
    #[error(
        "the file is damaged · export it again on the other machine, and compare sizes after copying it"
    )]
    Torn,
    /// A fault of this program or of SQLite.
    #[error(
        "the database refused · this is a fault of the program; report it with the cause below"
    )]
    Database(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for LedgerErrorKind {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match &error {
            Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..) => Self::Unreadable(error),
            Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked(error),
                ErrorCode::DiskFull => Self::DiskFull(error),
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly(error),
                ErrorCode::CannotOpen => Self::CannotOpen(error),
                ErrorCode::DatabaseCorrupt => Self::Corrupt(error),
                ErrorCode::NotADatabase => Self::NotALedger,
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

impl LedgerErrorKind {
    pub(super) fn at(self, path: &Path, doing: &'static str) -> LedgerError {
        LedgerError {
            path: path.to_owned(),
            doing,
            kind: self,
        }
    }
}
