//! Keys of encrypted objects: Parquet modular encryption, one key for footer and columns alike.
//!
//! An object tells in clear which key it was written with, by an id that gives nothing of the key away. Whoever holds the
//! key reads it with any reader that follows the format; `docs/lake.md` tells which do. Without a key objects are
//! written in clear.
//!
//! Facts: <https://parquet.apache.org/docs/file-format/data-pages/encryption/>, read 2026-11-28.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use parquet::encryption::decrypt::{FileDecryptionProperties, KeyRetriever};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::{ParquetError, Result};
use secrecy::{ExposeSecret, SecretBox};

/// AES-256.
const KEY_BYTES: usize = 32;
/// What is hashed to name a key.
const ID_LABEL: &[u8] = b"halo-extract object key id";

/// The keys of an installation: objects are written with the first and read with any.
#[derive(Clone, Default)]
pub struct ObjectKeys {
    keys: Arc<[ObjectKey]>,
    writes: bool,
}

struct ObjectKey {
    id: String,
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

/// A text that holds no keys. Says where, never what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "key {number} of those that encrypt objects is not 64 hexadecimal digits; make one with `openssl rand -hex 32`, one a \
     line, the one to write with first"
)]
pub struct ObjectKeyError {
    /// Which, from 1.
    pub number: usize,
}

/// An object's key is not among ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is encrypted with the key {0}")]
pub(super) struct UnknownKey(pub(super) String);

impl ObjectKeys {
    /// The keys of a text: 64 hexadecimal digits each, with white space between. The first one encrypts what is written
    /// if `writes`; all of them read.
    ///
    /// # Errors
    /// When one of them is not a key, or there is none.
    pub fn from_text(text: &str, writes: bool) -> std::result::Result<Self, ObjectKeyError> {
        let keys: Vec<ObjectKey> = text
            .split_whitespace()
            .zip(1..)
            .map(|(hex, number)| ObjectKey::from_hex(hex).ok_or(ObjectKeyError { number }))
            .collect::<std::result::Result<_, _>>()?;
        if keys.is_empty() {
            return Err(ObjectKeyError { number: 1 });
        }
        Ok(Self {
            keys: keys.into(),
            writes,
        })
    }

    /// Id of the key that objects are written with; `None` if they are written in clear.
    #[must_use]
    pub fn writing_id(&self) -> Option<&str> {
        self.writing().map(|key| key.id.as_str())
    }

    fn writing(&self) -> Option<&ObjectKey> {
        self.keys.first().filter(|_| self.writes)
    }

    /// How the next object is encrypted; `None` if it is not.
    pub(super) fn encryption(&self) -> Result<Option<Arc<FileEncryptionProperties>>> {
        let Some(key) = self.writing() else {
            return Ok(None);
        };
        FileEncryptionProperties::builder(key.bytes.expose_secret().to_vec())
            .with_footer_key_metadata(key.id.clone().into_bytes())
            .build()
            .map(Some)
    }

    /// How an object is read, whether it is encrypted or not.
    pub(super) fn decryption(&self) -> Arc<FileDecryptionProperties> {
        FileDecryptionProperties::with_key_retriever(Arc::new(self.clone()))
            .build()
            .expect("a retriever is all that is needed")
    }
}

impl KeyRetriever for ObjectKeys {
    fn retrieve_key(&self, id: &[u8]) -> Result<Vec<u8>> {
        let known = self.keys.iter().find(|key| key.id.as_bytes() == id);
        known
            .map(|key| key.bytes.expose_secret().to_vec())
            .ok_or_else(|| {
                let id = String::from_utf8_lossy(id).into_owned();
                ParquetError::External(Box::new(UnknownKey(id)))
            })
    }
}

impl ObjectKey {
    fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 2 * KEY_BYTES || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = Box::new([0; KEY_BYTES]);
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let mut id = Hmac::<sha2::Sha256>::new_from_slice(&*bytes).ok()?;
        id.update(ID_LABEL);
        let id = id.finalize().into_bytes();
        Some(Self {
            id: id[..4].iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: SecretBox::new(bytes),
        })
    }
}

impl fmt::Debug for ObjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("ObjectKeys")
            .field("ids", &ids)
            .field("writes", &self.writes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{folder, path, plausible_batches, publish};
    use super::super::{StorageErrorKind, Store};
    use super::*;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f";

    fn keys(text: &str, writes: bool) -> ObjectKeys {
        ObjectKeys::from_text(text, writes).expect("keys")
    }

    fn with(store: &Store, keys: ObjectKeys) -> Store {
        store.clone().with_keys(keys)
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_not_repeated() {
        let short = &OLD[..62];
        for (text, number) in [
            (String::new(), 1),
            (short.to_owned(), 1),
            (format!("{OLD}\n{short}zz"), 2),
        ] {
            let error = ObjectKeys::from_text(&text, true).expect_err("refused");
            assert_eq!(error.number, number);
            assert!(!error.to_string().contains(&short[..8]), "{error}");
        }
    }

    #[test]
    fn a_key_cannot_be_printed_but_its_id_can() {
        let keys = keys(OLD, true);
        let printed = format!("{keys:?}");
        assert!(printed.contains(keys.writing_id().expect("it writes")));
        assert!(!printed.contains(&OLD[..8]), "{printed}");
    }

    #[tokio::test]
    async fn an_encrypted_object_is_read_with_its_key_and_tells_its_id_without() {
        let (files, plain) = folder();
        let written = publish(
            &with(&plain, keys(OLD, true)),
            plausible_batches(20_000, 6_000),
        )
        .await;
        let bytes = std::fs::read(files.path().join(&written.path)).expect("the object");
        assert_eq!(&bytes[bytes.len() - 4..], b"PARE");
        for told in ["s40123", "observation", "varchar"] {
            let found = bytes
                .windows(told.len())
                .any(|part| part == told.as_bytes());
            assert!(!found, "{told} can be read without the key");
        }

        // After a change of keys the former one reads on; so it does when nothing more is encrypted.
        for reading in [
            keys(OLD, true),
            keys(&format!("{NEW}\n{OLD}"), true),
            keys(OLD, false),
        ] {
            let rows = with(&plain, reading)
                .read_batches(&path())
                .await
                .expect("readable");
            let rows: usize = rows.iter().map(|batch| batch.num_rows()).sum();
            assert_eq!(rows, 20_000);
        }
        let id = keys(OLD, true).writing_id().expect("it writes").to_owned();
        for without in [ObjectKeys::default(), keys(NEW, true)] {
            let store = with(&plain, without);
            for error in [
                store.read_footer(&path()).await.expect_err("no key"),
                store.read_batches(&path()).await.expect_err("no key"),
            ] {
                assert_eq!(error.kind, StorageErrorKind::Locked(id.clone()));
            }
        }
    }

    #[tokio::test]
    async fn keys_that_only_read_write_in_clear_and_a_clear_object_is_read_with_keys() {
        let (files, plain) = folder();
        let written = publish(&with(&plain, keys(OLD, false)), plausible_batches(3, 3)).await;
        let bytes = std::fs::read(files.path().join(&written.path)).expect("the object");
        assert_eq!(&bytes[bytes.len() - 4..], b"PAR1");

        let read = with(&plain, keys(NEW, true)).read_batches(&path()).await;

        assert_eq!(read.expect("readable")[0].num_rows(), 3);
    }
}
