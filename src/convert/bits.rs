//! bit: true and false, also as 0 and 1 or their text.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::NullBuffer;

use super::column::Values;
use super::decimals::read_exact;
use super::error::Reason;
use super::integers::goes_on;
use super::json::Value;

/// Flags, one bit each.
pub(super) struct Bits {
    values: BooleanBufferBuilder,
}

impl Bits {
    pub(super) fn new() -> Self {
        Self {
            values: BooleanBufferBuilder::new(0),
        }
    }
}

impl Values for Bits {
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let (flag, length) = match rest {
            [b't', b'r', b'u', b'e', ..] => (true, 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (false, 5),
            [digit @ (b'0' | b'1'), ..] if !goes_on(rest, 1) => (*digit == b'1', 1),
            _ => return None,
        };
        self.values.append(flag);
        rest.get(length..)
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        let flag = match value {
            Value::Flag(flag) => *flag,
            number => match read_exact(number, 0)? {
                0 => false,
                1 => true,
                _ => return Err(Reason::OutOfRange),
            },
        };
        self.values.append(flag);
        Ok(())
    }

    fn push_blank(&mut self) {
        self.values.append(false);
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>) {
        let next = BooleanBufferBuilder::new(self.values.len());
        let values = mem::replace(&mut self.values, next).build();
        arrays.push(Arc::new(BooleanArray::new(values, nulls)));
    }
}
