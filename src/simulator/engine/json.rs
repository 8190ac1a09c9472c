//! Rows as JSON, in the form a .NET writer gives each SQL Server type on the wire.
//!
//! Exact numbers are written from their digits, never through a float. Source: halo-cloud fact sheet,
//! result data encoding.

use rusqlite::types::ValueRef;

use super::runtime::calendar::DAY;
use super::runtime::{decimal, digits, moment, offset};
use super::{ResultColumn, SqlType};

/// Writes rows of one result into a reused buffer.
pub(crate) struct RowWriter {
    /// For each column, what stands before its value: `{"NAME":` or `,"NAME":`.
    keys: Vec<Vec<u8>>,
    types: Vec<SqlType>,
    buffer: Vec<u8>,
}

impl RowWriter {
    pub(crate) fn new(columns: &[ResultColumn]) -> Self {
        let keys = columns.iter().enumerate().map(|(at, column)| {
            let mut key = vec![if at == 0 { b'{' } else { b',' }];
            write_text(&mut key, &column.name);
            key.push(b':');
            key
        });
        Self {
            keys: keys.collect(),
            types: columns.iter().map(|column| column.sql_type).collect(),
            buffer: Vec::with_capacity(1024),
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.types.len()
    }

    /// The row as one JSON object; valid until the next call.
    pub(crate) fn row<'v>(&mut self, mut value: impl FnMut(usize) -> ValueRef<'v>) -> &[u8] {
        self.buffer.clear();
        for (at, (key, sql_type)) in self.keys.iter().zip(&self.types).enumerate() {
            self.buffer.extend_from_slice(key);
            write_value(&mut self.buffer, value(at), *sql_type);
        }
        self.buffer.push(b'}');
        &self.buffer
    }
}

fn write_value(out: &mut Vec<u8>, value: ValueRef<'_>, sql_type: SqlType) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(number) => match sql_type {
            SqlType::Bit => out.extend_from_slice(if number == 0 { b"false" } else { b"true" }),
            SqlType::Time(_) => {
                out.push(b'"');
                moment::write_time(out, number, 0);
                moment::write_short_fraction(out, number);
                out.push(b'"');
            }
            t if t.is_civil() => {
                out.push(b'"');
                write_moment(out, number);
                out.push(b'"');
            }
            _ => digits::write_signed(out, number),
        },
        ValueRef::Real(number) => write_float(out, number, sql_type),
        ValueRef::Text(bytes) if sql_type == SqlType::UniqueIdentifier => {
            out.push(b'"');
            out.extend(bytes.iter().map(u8::to_ascii_lowercase));
            out.push(b'"');
        }
        ValueRef::Text(bytes) => write_bytes_as_text(out, bytes),
        ValueRef::Blob(bytes) => write_blob(out, bytes, sql_type),
    }
}

fn write_blob(out: &mut Vec<u8>, bytes: &[u8], sql_type: SqlType) {
    if let Some((_, scale)) = sql_type.as_decimal()
        && let Some(number) = decimal::decode(bytes)
    {
        decimal::write(out, number, scale);
        return;
    }
    out.push(b'"');
    match (sql_type, offset::decode(bytes)) {
        (SqlType::DateTimeOffset(_), Some((local, minutes))) => {
            write_moment(out, local);
            moment::write_offset(out, minutes);
        }
        _ => base64_simd::STANDARD.encode_append(bytes, out),
    }
    out.push(b'"');
}

/// Shortest digits that read back to the same float; whole floats keep a `.0`.
fn write_float(out: &mut Vec<u8>, number: f64, sql_type: SqlType) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a real has the digits of an f32"
    )]
    let text = if sql_type == SqlType::Real {
        format!("{:?}", number as f32)
    } else {
        format!("{number:?}")
    };
    out.extend_from_slice(text.as_bytes());
}

fn write_moment(out: &mut Vec<u8>, ticks: i64) {
    let time = ticks.rem_euclid(DAY);
    let mut text = [b'T'; 19];
    text[..10].copy_from_slice(&moment::date_text(ticks.div_euclid(DAY)));
    text[11..].copy_from_slice(&moment::time_text(time));
    out.extend_from_slice(&text);
    moment::write_short_fraction(out, time);
}

fn write_bytes_as_text(out: &mut Vec<u8>, mut bytes: &[u8]) {
    out.push(b'"');
    loop {
        let (plain, rest) = bytes.split_at(plain_length(bytes));
        out.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else {
            break;
        };
        write_escape(out, *byte);
        bytes = rest;
    }
    out.push(b'"');
}

/// How many bytes stand before the first that JSON wants escaped: a control character, a quote or a backslash.
fn plain_length(bytes: &[u8]) -> usize {
    const WORD: usize = size_of::<u64>();
    let mut at = 0;
    while let Some(word) = bytes.get(at..at + WORD) {
        let word = u64::from_ne_bytes(word.try_into().expect("eight bytes"));
        if has_escaped(word) {
            break;
        }
        at += WORD;
    }
    let rest = &bytes[at..];
    let here = rest
        .iter()
        .position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
    at + here.unwrap_or(rest.len())
}

/// Whether any of eight bytes is to be escaped. Taking away what a byte must not be below borrows from its highest
/// bit, which no byte below 0x80 has; a byte that an exclusive or makes zero is below one.
fn has_escaped(word: u64) -> bool {
    const EACH: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u64| word.wrapping_sub(EACH * limit) & !word;
    let quote = below(word ^ (EACH * u64::from(b'"')), 1);
    let backslash = below(word ^ (EACH * u64::from(b'\\')), 1);
    let control = below(word, 0x20);
    (quote | backslash | control) & (EACH * 0x80) != 0
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_bytes_as_text(out, text.as_bytes());
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &str) -> String {
        let mut out = Vec::new();
        write_text(&mut out, bytes);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn a_text_is_escaped_as_another_writer_escapes_it(
            value in prop_oneof!["\\PC{0,40}", "[\\x00-\\x7f]{0,40}", "[a-zé\"\\\\\n€]{0,40}"],
        ) {
            prop_assert_eq!(text(&value), serde_json::to_string(&value).unwrap());
        }
    }

    #[test]
    fn every_byte_is_escaped_wherever_it_stands_in_a_word() {
        for byte in 0..=0x7fu8 {
            for at in 0..17 {
                let mut value = "é plain text ü".to_owned();
                value.insert(
                    if at < 1 {
                        0
                    } else {
                        value.floor_char_boundary(at)
                    },
                    char::from(byte),
                );
                assert_eq!(text(&value), serde_json::to_string(&value).unwrap());
            }
        }
    }
}
