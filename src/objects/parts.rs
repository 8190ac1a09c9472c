//! The bytes of an object on their way out: hashed, cut into parts of equal size, handed to the upload.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use sha2::Digest;
use tokio::sync::mpsc::Sender;

use crate::domain::Sha256;

/// A `Write` for a blocking thread; the other end of the channel uploads.
pub struct PartWriter {
    /// Size of every part but the last.
    part_bytes: usize,
    buffer: Vec<u8>,
    size_bytes: u64,
    /// Once there is more than one part.
    digest: Option<DigestBeside>,
    /// Buffers of parts that have arrived.
    spare: Spare,
    parts: Sender<Bytes>,
}

impl PartWriter {
    /// Cuts into parts of `part_bytes`.
    pub(super) fn new(parts: Sender<Bytes>, part_bytes: usize) -> Self {
        Self {
            part_bytes,
            buffer: Vec::new(),
            size_bytes: 0,
            digest: None,
            spare: Spare::default(),
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
        let last = Bytes::from(std::mem::take(&mut self.buffer));
        if !last.is_empty() {
            self.send(last.clone())?;
        }
        let digest = match self.digest {
            Some(mut digest) => {
                digest.update(last);
                digest.finish()
            }
            None => sha2::Sha256::digest(&last),
        };
        Ok((self.size_bytes, Sha256(digest.into())))
    }

    fn hand_over(&mut self) -> io::Result<()> {
        // More will come, and mostly a whole part of it.
        let spare = self.spare.take();
        let next = spare.unwrap_or_else(|| Vec::with_capacity(self.part_bytes));
        let part = self.spare.lend(std::mem::replace(&mut self.buffer, next));
        let digest = self.digest.get_or_insert_with(DigestBeside::start);
        digest.update(part.clone());
        self.send(part)
    }

    fn send(&self, part: Bytes) -> io::Result<()> {
        self.parts
            .blocking_send(part)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.part_bytes - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        self.size_bytes += taken.len() as u64;
        if self.buffer.len() == self.part_bytes {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Buffers that are used again: to be given fresh memory costs the kernel about as much as to write what lies in it.
#[derive(Clone, Default)]
struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that comes back once nobody has its bytes any more.
struct Lent {
    buffer: Vec<u8>,
    spare: Spare,
}

impl Spare {
    fn take(&self) -> Option<Vec<u8>> {
        self.buffers().pop()
    }

    fn lend(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent {
            buffer,
            spare: self.clone(),
        })
    }

    fn buffers(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.spare.buffers().push(buffer);
    }
}

/// The digest of a large object, computed on a thread of its own, so that encoding and uploading do not wait for it.
struct DigestBeside {
    parts: SyncSender<Bytes>,
    thread: JoinHandle<sha2::Sha256>,
}

impl DigestBeside {
    fn start() -> Self {
        let (parts, taken) = sync_channel::<Bytes>(1);
        let thread = std::thread::spawn(move || {
            let mut digest = sha2::Sha256::new();
            for part in taken {
                digest.update(&part);
            }
            digest
        });
        Self { parts, thread }
    }

    fn update(&mut self, part: Bytes) {
        self.parts
            .send(part)
            .expect("it takes parts until this ends");
    }

    fn finish(self) -> sha2::digest::Output<sha2::Sha256> {
        drop(self.parts);
        let digest = self.thread.join().expect("a digest does not panic");
        digest.finalize()
    }
}
