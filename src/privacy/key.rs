//! The deployment's pseudonym key: what makes pseudonyms stable for us and meaningless to others.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::PrivacyError;

/// HMAC-SHA-256 with its key taken in: cloned for each message, so that the key is hashed once.
pub(super) type KeyedHash = Hmac<Sha256>;

/// Fewer bytes could be guessed.
const SHORTEST_KEY: usize = 32;

/// What is hashed to name a key. Not a message that a pseudonym could have: those contain 0x1F.
const ID_LABEL: &[u8] = b"halo-extract pseudonym key id";

/// A secret of at least 32 bytes. It cannot be printed; its [`id`](Self::id) can.
#[derive(Clone)]
pub struct PseudonymKey {
    keyed: KeyedHash,
    id: String,
}

impl PseudonymKey {
    /// The key that consists of these bytes.
    ///
    /// # Errors
    /// When there are fewer than 32.
    pub fn from_bytes(secret: &[u8]) -> Result<Self, PrivacyError> {
        if secret.len() < SHORTEST_KEY {
            return Err(PrivacyError::KeyTooShort {
                bytes: secret.len(),
            });
        }
        let keyed = KeyedHash::new_from_slice(secret).expect("HMAC takes a key of any length");
        let id = keyed.clone().chain_update(ID_LABEL).finalize().into_bytes();
        let id = id[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { keyed, id })
    }

    /// The key that consists of the bytes of a text, as an environment variable or a file gives it: white
    /// space around it, such as the file's last line end, does not belong to it.
    ///
    /// # Errors
    /// When fewer than 32 bytes are left.
    pub fn from_text(secret: &str) -> Result<Self, PrivacyError> {
        Self::from_bytes(secret.trim().as_bytes())
    }

    /// Name of the key, 8 hex digits: tells keys apart and gives nothing of them away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The hash before any message.
    pub(super) fn keyed(&self) -> &KeyedHash {
        &self.keyed
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PseudonymKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
