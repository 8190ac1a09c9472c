//! binary, varbinary, image and rowversion: bytes, which the API writes as base64.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};

use super::column::Values;
use super::error::Reason;
use super::json::Value;
use crate::domain::{Length, SqlType};

/// Byte strings, one behind the other.
pub(super) struct Binaries {
    bytes: Vec<u8>,
    /// Where each string ends; begins with 0.
    offsets: Vec<i32>,
    longest: usize,
}

impl Binaries {
    pub(super) fn new(sql_type: SqlType) -> Self {
        Self {
            bytes: Vec::new(),
            offsets: vec![0],
            longest: match sql_type {
                SqlType::Binary(Length::Max(length)) | SqlType::VarBinary(Length::Max(length)) => {
                    length as usize
                }
                SqlType::RowVersion => 8,
                _ => usize::MAX,
            },
        }
    }

    /// Appends what `base64` (standard alphabet, padded) stands for; nothing if it is not that.
    fn append(&mut self, base64: &[u8]) -> Result<(), Reason> {
        let start = self.bytes.len();
        let decoded = base64_simd::STANDARD.decode_append(base64, &mut self.bytes);
        let reason = match decoded {
            Ok(()) if self.bytes.len() - start <= self.longest => {
                self.offsets.push(self.bytes.len() as i32);
                return Ok(());
            }
            Ok(()) => Reason::TooLong,
            Err(_) => Reason::Unreadable,
        };
        self.bytes.truncate(start);
        Err(reason)
    }
}

impl Values for Binaries {
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        // Base64 has neither quote nor backslash, so the next quote ends it or the decoder refuses.
        let body = rest.strip_prefix(b"\"")?;
        let length = memchr::memchr(b'"', body)?;
        self.append(&body[..length]).ok()?;
        Some(&body[length + 1..])
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        match value {
            Value::Text(text) => self.append(text.as_bytes()),
            _ => Err(Reason::Unreadable),
        }
    }

    fn push_blank(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        let end = self.offsets.last().copied().unwrap_or_default();
        self.bytes.truncate(end as usize);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let bytes = Vec::with_capacity(self.bytes.len());
        let offsets = mem::replace(&mut self.offsets, offsets);
        let bytes = mem::replace(&mut self.bytes, bytes);
        let array = BinaryArray::new(
            OffsetBuffer::new(offsets.into()),
            Buffer::from_vec(bytes),
            nulls,
        );
        arrays.push(Arc::new(array));
    }
}
