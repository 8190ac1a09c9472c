//! Records of a CSV file, telling an empty field from an empty quoted one.
//!
//! Readers in libraries drop that difference, and it is the only way a CSV file has to write both NULL and ''.
//! RFC 4180, with either line end, and quotes anywhere a quoted field may begin.

use std::io::{self, BufRead};

/// One record with the line it began on, counted from one.
pub(super) struct Record {
    pub(super) line: u64,
    /// `None` is an empty field without quotes.
    pub(super) fields: Vec<Option<String>>,
}

/// What is wrong with a CSV file, and on which line.
#[derive(Debug)]
pub(super) enum BadCsv {
    Read(io::Error),
    NotUtf8 { line: u64 },
    OpenQuote { line: u64 },
    TextAfterQuote { line: u64 },
}

/// Reads records one at a time.
pub(super) struct Records<R> {
    reader: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: 0,
            buffer: Vec::new(),
        }
    }

    /// Appends one physical line; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, BadCsv> {
        let length = self
            .reader
            .read_until(b'\n', &mut self.buffer)
            .map_err(BadCsv::Read)?;
        self.line += u64::from(length > 0);
        Ok(length > 0)
    }

    fn record(&mut self) -> Result<Option<Record>, BadCsv> {
        self.buffer.clear();
        if !self.read_line()? {
            return Ok(None);
        }
        if self.line == 1 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
            self.buffer.drain(..3);
        }
        let line = self.line;
        // A quoted field may run over several lines: quotes come in pairs in a complete record.
        while self.buffer.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            if !self.read_line()? {
                return Err(BadCsv::OpenQuote { line });
            }
        }
        let text = std::str::from_utf8(&self.buffer).map_err(|_| BadCsv::NotUtf8 { line })?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(Some(Record {
            line,
            fields: fields(text).ok_or(BadCsv::TextAfterQuote { line })?,
        }))
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Record, BadCsv>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

/// `None` when something other than a comma follows a closing quote.
fn fields(text: &str) -> Option<Vec<Option<String>>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted_field(quoted)?;
                (Some(field), after)
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let field = &rest[..end];
                ((!field.is_empty()).then(|| field.to_owned()), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(fields),
            None => return None,
        }
    }
}

/// The text of a quoted field, and what stands behind its closing quote.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, rest)),
        }
    }
}
