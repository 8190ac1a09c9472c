//! Rows as JSON, in the form a .NET writer gives each SQL Server type on the wire.
//!
//! Exact numbers are written from their digits, never through a float. Source: halo-cloud fact sheet,
//! result data encoding.

use rusqlite::types::ValueRef;

use super::runtime::calendar::DAY;
use super::runtime::{decimal, moment, offset};
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
            _ => write_integer(out, number),
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

fn write_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    moment::digits(out, number, 1);
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
    moment::write_date(out, ticks.div_euclid(DAY));
    out.push(b'T');
    moment::write_time(out, time, 0);
    moment::write_short_fraction(out, time);
}

fn write_bytes_as_text(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        write_escape(out, *byte);
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
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
