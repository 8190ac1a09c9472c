//! datetimeoffset: an instant in UTC and, when asked for, how far the practice's clock was from it.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int16Array, TimestampMicrosecondArray};
use arrow::buffer::NullBuffer;

use super::column::Values;
use super::error::Reason;
use super::json::Value;
use super::moments::{Moment, date_and_time, plain_moment, spelled, zone};

/// Instants, in microseconds since 1970-01-01 00:00 UTC, and their offsets in minutes east.
pub(super) struct Instants {
    instants: Vec<i64>,
    offsets: Vec<i16>,
    with_offsets: bool,
}

impl Instants {
    /// `with_offsets` makes a second column of the offsets.
    pub(super) fn new(with_offsets: bool) -> Self {
        Self {
            instants: Vec::new(),
            offsets: Vec::new(),
            with_offsets,
        }
    }

    fn append(&mut self, local: Moment, offset: i16) {
        self.instants
            .push(local.timestamp() - i64::from(offset) * 60_000_000);
        self.offsets.push(offset);
    }
}

impl Values for Instants {
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let (local, length) = plain_moment(rest)?;
        let tail = rest.get(length..)?;
        let width = if tail.first() == Some(&b'Z') { 1 } else { 6 };
        let (offset, after) = tail.split_at_checked(width)?;
        let offset = zone(offset).ok()?;
        let after = after.strip_prefix(b"\"")?;
        self.append(local, offset);
        Some(after)
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        let (local, offset) = date_and_time(spelled(value)?)?;
        let offset = zone(offset)?;
        self.append(local, offset);
        Ok(())
    }

    fn push_blank(&mut self) {
        self.instants.push(0);
        self.offsets.push(0);
    }

    fn truncate(&mut self, rows: usize) {
        self.instants.truncate(rows);
        self.offsets.truncate(rows);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>) {
        let rows = self.instants.len();
        let instants = mem::replace(&mut self.instants, Vec::with_capacity(rows));
        let offsets = mem::replace(&mut self.offsets, Vec::with_capacity(rows));
        let array = TimestampMicrosecondArray::new(instants.into(), nulls.clone());
        arrays.push(Arc::new(array.with_timezone("UTC")));
        if self.with_offsets {
            arrays.push(Arc::new(Int16Array::new(offsets.into(), nulls)));
        }
    }
}
