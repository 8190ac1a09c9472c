//! uniqueidentifier: sixteen bytes, in the order in which the text writes them.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray};
use arrow::buffer::{Buffer, NullBuffer};
use uuid::Uuid;

use super::column::Values;
use super::error::Reason;
use super::json::Value;

const WIDTH: usize = 16;
const TEXT_LENGTH: usize = 36;

/// UUIDs, one behind the other.
pub(super) struct Uuids {
    bytes: Vec<u8>,
}

impl Uuids {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Appends the UUID that `text`, dashed and in any case, spells.
    fn append(&mut self, text: &[u8]) -> Option<()> {
        // Of the spellings that the crate reads, only the dashed one has this length.
        if text.len() != TEXT_LENGTH {
            return None;
        }
        let uuid = Uuid::try_parse_ascii(text).ok()?;
        self.bytes.extend_from_slice(uuid.as_bytes());
        Some(())
    }
}

impl Values for Uuids {
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let body = rest.strip_prefix(b"\"")?;
        let (text, after) = body.split_at_checked(TEXT_LENGTH)?;
        let after = after.strip_prefix(b"\"")?;
        self.append(text)?;
        Some(after)
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        match value {
            Value::Text(text) => self.append(text.as_bytes()).ok_or(Reason::Unreadable),
            _ => Err(Reason::Unreadable),
        }
    }

    fn push_blank(&mut self) {
        self.bytes.extend_from_slice(&[0; WIDTH]);
    }

    fn truncate(&mut self, rows: usize) {
        self.bytes.truncate(rows * WIDTH);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>) {
        let next = Vec::with_capacity(self.bytes.len());
        let bytes = Buffer::from_vec(mem::replace(&mut self.bytes, next));
        let array = FixedSizeBinaryArray::new(WIDTH as i32, bytes, nulls);
        arrays.push(Arc::new(array));
    }
}
