//! char, varchar, text, their n-forms and xml: the characters of a JSON string as they are.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};

use super::column::Values;
use super::error::Reason;
use super::json::{Value, append_text};
use crate::domain::{Length, SqlType};

/// Texts, one behind the other as UTF-8.
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends; begins with 0, so that neighbours are the bounds of a text.
    offsets: Vec<i32>,
    /// Declared length.
    longest: usize,
    /// Whether the length counts UTF-16 units, as the n-types do.
    wide: bool,
    trim: bool,
}

impl Texts {
    /// `trim` cuts the blanks with which `char(n)` is padded.
    pub(super) fn new(sql_type: SqlType, trim: bool) -> Self {
        Self {
            bytes: Vec::new(),
            offsets: vec![0],
            longest: declared_length(sql_type),
            wide: matches!(sql_type, SqlType::NChar(_) | SqlType::NVarChar(_)),
            trim,
        }
    }

    /// Makes the bytes behind `start` the next text, if it is not too long.
    fn close(&mut self, start: usize) -> Result<(), Reason> {
        // Bytes are at least as many as characters, so a long text seldom has to be counted.
        if self.bytes.len() - start > self.longest && self.is_too_long(start) {
            return Err(Reason::TooLong);
        }
        if self.trim {
            let text = &self.bytes[start..];
            let kept = text
                .iter()
                .rposition(|byte| *byte != b' ')
                .map_or(0, |last| last + 1);
            self.bytes.truncate(start + kept);
        }
        self.offsets.push(self.bytes.len() as i32);
        Ok(())
    }

    /// Non-n types are measured in characters although SQL Server counts bytes of the column's code page,
    /// which we do not know: no code page has fewer bytes than characters.
    fn is_too_long(&self, start: usize) -> bool {
        let text = std::str::from_utf8(&self.bytes[start..]);
        let text = text.expect("texts are whole characters");
        let length = if self.wide {
            text.encode_utf16().count()
        } else {
            text.chars().count()
        };
        length > self.longest
    }
}

fn declared_length(sql_type: SqlType) -> usize {
    match sql_type {
        SqlType::Char(Length::Max(length))
        | SqlType::VarChar(Length::Max(length))
        | SqlType::NChar(Length::Max(length))
        | SqlType::NVarChar(Length::Max(length)) => length as usize,
        _ => usize::MAX,
    }
}

impl Values for Texts {
    #[inline]
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let body = rest.strip_prefix(b"\"")?;
        let start = self.bytes.len();
        if let Ok((true, after)) = append_text(body, &mut self.bytes)
            && self.close(start).is_ok()
        {
            return Some(after);
        }
        self.bytes.truncate(start);
        None
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        let text = match value {
            Value::Text(text) => text,
            Value::BrokenText => return Err(Reason::BrokenText),
            _ => return Err(Reason::Unreadable),
        };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        self.close(start)
            .inspect_err(|_| self.bytes.truncate(start))
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
        let bytes = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 8);
        let offsets = mem::replace(&mut self.offsets, offsets);
        let bytes = mem::replace(&mut self.bytes, bytes);
        let array = StringArray::new(
            OffsetBuffer::new(offsets.into()),
            Buffer::from_vec(bytes),
            nulls,
        );
        arrays.push(Arc::new(array));
    }
}
