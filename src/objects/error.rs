//! What can go wrong with storage, in words that say what happened, why, and what to do next.

use std::error::Error;
use std::io;
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};
use parquet::errors::ParquetError;

use crate::domain::{FailureClass, Mender, Retry};

/// Something that storage was asked for did not happen. Names places only, never a row value.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {place}: {kind}")]
pub struct StorageError {
    /// What was tried, as a verb: `write`, `read`, `list`.
    pub action: &'static str,
    /// The path or address it was tried on.
    pub place: String,
    /// Why it failed, and what to do next.
    pub kind: StorageErrorKind,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Why storage failed. Each reads as the reason and the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's message says what it is")]
pub enum StorageErrorKind {
    #[error("{0}; give a folder such as `./data/lake` or `file:///srv/lake` as --storage")]
    Address(String),
    #[error("{0}; set it in the variables that its own tools read (AWS_…, AZURE_…, GOOGLE_…)")]
    Settings(String),
    #[error("a file stands where a folder should be; move it away or choose another --storage")]
    NotAFolder,
    #[error("a folder stands where the object should be; move it away or choose another --storage")]
    NotAFile,
    #[error("the disk is full or the quota is used up; free space there, then run again")]
    Full,
    #[error("the storage is read-only; mount it writable or choose another --storage")]
    ReadOnly,
    #[error("access is denied; let the account that runs this program read and write there")]
    Denied,
    #[error("the bucket or container does not exist; create it, or correct --storage")]
    NoBucket,
    #[error(
        "this machine's clock differs too much from the store's; set it by NTP, then run again"
    )]
    Clock,
    #[error(
        "the store cannot be reached; check the network and the endpoint's variables; it is tried again by itself"
    )]
    Unreachable,
    #[error("it does not exist; check --storage, and whether somebody removed it")]
    Missing,
    #[error(
        "it is not one of our objects ({0}); if nothing else writes there, run its extraction again"
    )]
    Foreign(&'static str),
    #[error(
        "it is encrypted with the key {0}, which is not among those of lake.encryption_key; put that key back, as a second one \
         if it is no longer written with"
    )]
    Locked(String),
    #[error(
        "the batches do not fit the columns that were announced; this is a fault of the program, please report it"
    )]
    Encode,
    #[error("the storage failed; it is tried again by itself, and `--storage` says where to look")]
    Other,
}

impl StorageError {
    pub(super) fn new(
        action: &'static str,
        place: impl Into<String>,
        kind: StorageErrorKind,
    ) -> Self {
        Self {
            action,
            place: place.into(),
            kind,
            source: None,
        }
    }

    pub(super) fn from_store(
        action: &'static str,
        place: impl Into<String>,
        error: object_store::Error,
    ) -> Self {
        Self {
            source: Some(Box::new(error)),
            ..Self::new(action, place, StorageErrorKind::Other)
        }
        .judged()
    }

    pub(super) fn from_io(
        action: &'static str,
        place: impl Into<String>,
        error: io::Error,
    ) -> Self {
        Self {
            source: Some(Box::new(error)),
            ..Self::new(action, place, StorageErrorKind::Other)
        }
        .judged()
    }

    pub(super) fn from_encoder(place: impl Into<String>, error: ParquetError) -> Self {
        Self {
            source: Some(Box::new(error)),
            ..Self::new("encode", place, StorageErrorKind::Encode)
        }
    }

    /// The kind that the chain of causes tells.
    fn judged(mut self) -> Self {
        if let Some(kind) = self.source().and_then(judge) {
            self.kind = kind;
        }
        self
    }

    /// What kind of failure this is for the ledger.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self.kind {
            StorageErrorKind::Encode => FailureClass::Internal,
            _ => FailureClass::Storage,
        }
    }

    /// Who can mend it.
    #[must_use]
    pub fn mender(&self) -> Mender {
        match self.kind {
            StorageErrorKind::Other | StorageErrorKind::Unreachable => Mender::Time,
            _ => Mender::Operator,
        }
    }

    /// When trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.kind {
            StorageErrorKind::Other => Retry::Now,
            StorageErrorKind::Unreachable => Retry::Later(Duration::from_secs(60)),
            StorageErrorKind::Full => Retry::Later(Duration::from_secs(15 * 60)),
            _ => Retry::Never,
        }
    }
}

fn judge(error: &(dyn Error + 'static)) -> Option<StorageErrorKind> {
    let own = error
        .downcast_ref::<io::Error>()
        .and_then(|error| judge_io(error.kind()))
        .or_else(|| error.downcast_ref().and_then(judge_http))
        .or_else(|| error.downcast_ref().and_then(judge_store));
    own.or_else(|| error.source().and_then(judge))
}

fn judge_http(error: &HttpError) -> Option<StorageErrorKind> {
    match error.kind() {
        HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Interrupted => {
            Some(StorageErrorKind::Unreachable)
        }
        _ => None,
    }
}

fn judge_io(kind: io::ErrorKind) -> Option<StorageErrorKind> {
    match kind {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            Some(StorageErrorKind::NotAFolder)
        }
        io::ErrorKind::IsADirectory => Some(StorageErrorKind::NotAFile),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Some(StorageErrorKind::Full)
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(StorageErrorKind::ReadOnly),
        io::ErrorKind::PermissionDenied => Some(StorageErrorKind::Denied),
        io::ErrorKind::NotFound => Some(StorageErrorKind::Missing),
        _ => None,
    }
}

fn judge_store(error: &object_store::Error) -> Option<StorageErrorKind> {
    use object_store::Error as Store;
    match error {
        // The cause behind it may say more: a file in the way is also "not found".
        Store::NotFound { source, .. } => judge(source.as_ref())
            .or_else(|| judge_answer(source.as_ref()))
            .or(Some(StorageErrorKind::Missing)),
        Store::PermissionDenied { source, .. } | Store::Unauthenticated { source, .. } => {
            judge_answer(source.as_ref()).or(Some(StorageErrorKind::Denied))
        }
        Store::Generic { source, .. } | Store::AlreadyExists { source, .. } => {
            judge_answer(source.as_ref())
        }
        _ => None,
    }
}

/// The error codes that stores put in the bodies of their answers; the client library keeps only the text.
///
/// Facts: S3 "Error responses", Azure "Blob service error codes", read 2026-11-21; Azure tells a clock that is slow in the
/// detail of `AuthenticationFailed`.
fn judge_answer(error: &(dyn Error + 'static)) -> Option<StorageErrorKind> {
    let text = error.to_string();
    let says = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if says(&[
        "NoSuchBucket",
        "ContainerNotFound",
        "The specified bucket does not exist",
    ]) {
        Some(StorageErrorKind::NoBucket)
    } else if says(&["RequestTimeTooSkewed", "Request date header too old"]) {
        Some(StorageErrorKind::Clock)
    } else if says(&[
        "AccountIsDisabled",
        "WriteNotAllowed",
        "BlobImmutableDueToPolicy",
    ]) {
        Some(StorageErrorKind::ReadOnly)
    } else {
        None
    }
}
