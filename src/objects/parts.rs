//! The bytes of an object on their way out: hashed, cut into parts of equal size, handed to the upload.

use std::io::{self, Write};

use bytes::Bytes;
use sha2::Digest;
use tokio::sync::mpsc::Sender;

use crate::domain::Sha256;

/// Size of every part but the last. Stores want at least 5 MiB, and some want all parts equal.
pub(super) const PART_BYTES: usize = 8 << 20;

/// A `Write` for a blocking thread; the other end of the channel uploads.
pub(super) struct PartWriter {
    buffer: Vec<u8>,
    digest: sha2::Sha256,
    size_bytes: u64,
    parts: Sender<Bytes>,
}

impl PartWriter {
    pub(super) fn new(parts: Sender<Bytes>) -> Self {
        Self {
            buffer: Vec::new(),
            digest: sha2::Sha256::new(),
            size_bytes: 0,
            parts,
        }
    }

    /// Whether nobody takes parts any more, so that going on is useless.
    pub(super) fn is_closed(&self) -> bool {
        self.parts.is_closed()
    }

    /// Hands over the last part; the size in bytes and the digest of everything written.
    ///
    /// # Errors
    /// When nobody takes it any more.
    pub(super) fn finish(mut self) -> io::Result<(u64, Sha256)> {
        if !self.buffer.is_empty() {
            self.hand_over()?;
        }
        Ok((self.size_bytes, Sha256(self.digest.finalize().into())))
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let part = Bytes::from(std::mem::take(&mut self.buffer));
        self.parts
            .blocking_send(part)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PART_BYTES - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        self.digest.update(taken);
        self.size_bytes += taken.len() as u64;
        if self.buffer.len() == PART_BYTES {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
