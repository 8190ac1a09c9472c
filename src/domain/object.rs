//! An object: one finished file in storage.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text, stored_text};

/// A SHA-256 digest; printed as 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl FromStr for Sha256 {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new(text, "a SHA-256 digest (64 hex digits)", "9f86d081…");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, hex) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let hex = std::str::from_utf8(hex).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(hex, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// What the ledger keeps of a published object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObjectRecord {
    /// Path below the storage root, with `/`.
    pub path: String,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// Digest of its bytes.
    pub sha256: Sha256,
    /// The store's own mark of this very write, without quotes; `None` for a folder, whose marks do not survive a
    /// copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

stored_text! {
    /// Why a published object no longer stands.
    pub enum Gone {
        /// A snapshot that has served its time.
        Expired = "expired",
        /// Its rows are in the object of its month.
        Compacted = "compacted",
        /// Its site was withdrawn, and its data removed.
        Forgotten = "forgotten",
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

serde_as_text!(Sha256);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_prints_as_it_parses() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(text.parse::<Sha256>().expect("a digest").to_string(), text);
    }
}
