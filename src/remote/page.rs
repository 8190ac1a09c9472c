//! One page of a result, and the way from its body to the JSON array of its rows.
//!
//! The body comes in three shapes, told apart by its first byte: `[` the rows themselves (`/stream`), `{`
//! an envelope with base64, `"` a JSON string that holds either. Which one `/stream` sends is not fully
//! documented, so all are read everywhere. Nothing here looks at a value, and no error quotes one.
//!
//! Invariant: decoding never holds more than [`MEMORY_MULTIPLE`] times the body's size.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;

use crate::domain::PageNumber;

use super::cause::Cause;
use super::error::RemoteError;
use super::wire::Fault;

/// Bytes of capacity kept free behind the rows, so that a reader may append padding for its wide loads
/// without moving them.
pub const SPARE_BYTES: usize = 64;

/// Most memory that decoding holds at once, as a multiple of the body: the body, the envelope's text with
/// its escapes undone and what comes out of its base64, plus the spare bytes.
pub const MEMORY_MULTIPLE: usize = 4;

/// One page as it came over the wire.
#[derive(Clone)]
pub struct Page {
    /// Its number, from 1.
    pub number: PageNumber,
    /// Its rows, as the header of the page or else the status of the query declares them.
    pub rows_declared: Option<u64>,
    body: Vec<u8>,
}

/// The rows of a page: the bytes of one JSON array of objects, keyed by column name.
///
/// Only the outer shape has been looked at; whether it is JSON throughout is for the reader to find.
pub struct PageRows {
    buffer: Vec<u8>,
    rows: Range<usize>,
}

impl Page {
    /// A page of this number with this body; `rows_declared` as the API told it, if it did.
    #[must_use]
    pub fn new(number: PageNumber, rows_declared: Option<u64>, body: Vec<u8>) -> Self {
        Self {
            number,
            rows_declared,
            body,
        }
    }

    /// Size of the body as it came, after decompression, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.body.len()
    }

    /// The body as it came: row values, for nobody's eyes.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The rows, decoded in place where possible.
    ///
    /// Takes a millisecond per megabyte or so: do it off the async threads.
    ///
    /// # Errors
    /// When the body has none of the known shapes, or says it has rows and brings none.
    pub fn into_rows(self) -> Result<PageRows, RemoteError> {
        let number = self.number;
        let fault = |fault: Fault| {
            RemoteError::new(Cause::Unreadable, format!("page {number}"))
                .with_said(fault.to_owned())
        };
        let rows = PageRows::read(self.body).map_err(fault)?;
        if self.rows_declared.is_some_and(|declared| declared > 0) && rows.is_bare() {
            return Err(fault("it declares rows and brings none"));
        }
        Ok(rows)
    }
}

impl PageRows {
    /// The rows of a body in any of its shapes.
    pub(crate) fn read(body: Vec<u8>) -> Result<Self, Fault> {
        let start = first_byte(&body);
        match body.get(start) {
            None => Ok(Self::none()),
            Some(b'[') => Self::of_array(body, start),
            Some(b'{') => Self::of_envelope(body, start),
            Some(b'"') => Self::of_string(&body[start..]),
            Some(_) if body[start..].trim_ascii() == b"null" => Ok(Self::none()),
            Some(_) => Err("it is neither an array nor an envelope"),
        }
    }

    /// The rows in a base64 text; an empty text holds none.
    pub(crate) fn of_base64(text: &str) -> Result<Self, Fault> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::none());
        }
        let mut buffer = Vec::with_capacity(text.len() / 4 * 3 + SPARE_BYTES + 3);
        base64_simd::STANDARD
            .decode_append(text.trim_ascii(), &mut buffer)
            .map_err(|_| BAD_BASE64)?;
        Self::of_decoded(buffer)
    }

    /// The buffer and where the rows lie in it: the buffer ends with the rows and has at least
    /// [`SPARE_BYTES`] of capacity behind them.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Range<usize>) {
        (self.buffer, self.rows)
    }

    /// No rows at all, in the one form that readers need to know.
    pub(crate) fn none() -> Self {
        let mut buffer = Vec::with_capacity(2 + SPARE_BYTES);
        buffer.extend_from_slice(b"[]");
        Self { buffer, rows: 0..2 }
    }

    /// Whether this is an array without elements.
    pub(crate) fn is_bare(&self) -> bool {
        let inner = self.as_ref().trim_ascii();
        inner
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"))
            .is_some_and(|inside| inside.trim_ascii().is_empty())
    }

    /// `start` is the place of the opening bracket.
    fn of_array(mut buffer: Vec<u8>, start: usize) -> Result<Self, Fault> {
        let end = start + buffer[start..].trim_ascii_end().len();
        if buffer[start..end].last() != Some(&b']') || end - start < 2 {
            return Err("the array of rows is not closed");
        }
        buffer.truncate(end);
        buffer.reserve_exact(SPARE_BYTES);
        Ok(Self {
            buffer,
            rows: start..end,
        })
    }

    fn of_decoded(buffer: Vec<u8>) -> Result<Self, Fault> {
        let start = first_byte(&buffer);
        match buffer.get(start) {
            None => Ok(Self::none()),
            Some(b'[') => Self::of_array(buffer, start),
            Some(_) if buffer[start..].trim_ascii() == b"null" => Ok(Self::none()),
            Some(_) => Err("its data is not an array of rows"),
        }
    }

    fn of_envelope(mut body: Vec<u8>, start: usize) -> Result<Self, Fault> {
        let Some(text) = plain_data(&body, start) else {
            return Self::of_escaped_envelope(&body[start..]);
        };
        let decoded = base64_simd::STANDARD
            .decode_inplace(&mut body[text.clone()])
            .map_err(|_| BAD_BASE64)?
            .len();
        let end = text.start + decoded;
        body.truncate(end);
        let rows_start = text.start + first_byte(&body[text.start..]);
        match body.get(rows_start) {
            None => Ok(Self::none()),
            Some(b'[') => Self::of_array(body, rows_start),
            Some(_) if body[rows_start..].trim_ascii() == b"null" => Ok(Self::none()),
            Some(_) => Err("its data is not an array of rows"),
        }
    }

    /// Any envelope: other fields first, white space, escapes in the base64, no data at all.
    fn of_escaped_envelope(body: &[u8]) -> Result<Self, Fault> {
        let envelope: Envelope<'_> =
            serde_json::from_slice(body).map_err(|_| "its envelope is broken")?;
        envelope
            .data
            .map_or_else(|| Ok(Self::none()), |data| Self::of_base64(&data.0))
    }

    /// A JSON string: of rows, of an envelope, or of base64.
    fn of_string(body: &[u8]) -> Result<Self, Fault> {
        let text: String = serde_json::from_slice(body).map_err(|_| "its string is broken")?;
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => Self::of_decoded(text.into_bytes()),
            Some(b'{') => Self::of_escaped_envelope(text.as_bytes()),
            _ => Self::of_base64(&text),
        }
    }
}

const BAD_BASE64: Fault = "its base64 is broken";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<Text<'a>>,
}

/// A string that borrows from the body unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Place of the first byte that is neither white space nor a byte order mark.
fn first_byte(body: &[u8]) -> usize {
    let mark = if body.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    body.len() - body[mark..].trim_ascii_start().len()
}

/// Whether a body ends as one that is complete would: a cheap look at its last byte.
///
/// Finds nearly every body that broke off where the connection did not tell, so that it is fetched again
/// while that is easy.
pub(crate) fn looks_whole(body: &[u8]) -> bool {
    let closing = match body.get(first_byte(body)) {
        Some(b'[') => b']',
        Some(b'{') => b'}',
        Some(b'"') => b'"',
        _ => return true,
    };
    let trimmed = body.trim_ascii();
    trimmed.len() > 1 && trimmed.last() == Some(&closing)
}

/// Where the base64 lies if the envelope begins with it and it holds no escape, as it nearly always does.
///
/// Base64 holds no quotation mark, so the next one ends it, and the decoder refuses whatever else is odd
/// in between. What follows must at least close the envelope: a body that broke off must not pass.
fn plain_data(body: &[u8], start: usize) -> Option<Range<usize>> {
    let opening = br#"{"data":""#;
    let text_start = start + opening.len();
    let rest = body[start..].strip_prefix(opening)?;
    let text_end = text_start + memchr::memchr2(b'"', b'\\', rest)?;
    let is_whole = body[text_end] == b'"' && body[text_end + 1..].trim_ascii_end().ends_with(b"}");
    is_whole.then_some(text_start..text_end)
}

impl AsRef<[u8]> for PageRows {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[self.rows.clone()]
    }
}

/// Sizes only: the body is row values.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("number", &self.number)
            .field("rows_declared", &self.rows_declared)
            .field("size_bytes", &self.body.len())
            .finish()
    }
}

/// Sizes only: the content is row values.
impl fmt::Debug for PageRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageRows({} bytes)", self.rows.len())
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
