//! Pseudonyms: the same value of the same kind at the same site is always the same 32 hex digits.
//!
//! The digits are the first 128 bits of HMAC-SHA-256, under the deployment's key, of
//!
//! ```text
//! kind 0x1F site 0x1F value
//! ```
//!
//! in UTF-8. Neither a kind nor a site key holds the separator, and the value comes last, so no two triples
//! have the same encoding. The value is written canonically: whole numbers in decimal, a uniqueidentifier
//! dashed in lower case, text without trailing blanks, which SQL Server does not tell apart either. So
//! `17`, `"17"` and `"17   "` of three queries have one pseudonym.

use std::io::Write;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Decimal128Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use hmac::Mac;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::key::{KeyedHash, PseudonymKey};
use crate::domain::SiteKey;

/// Hex digits of a pseudonym.
const DIGITS: usize = 32;

const SEPARATOR: u8 = 0x1F;

/// Results recently asked for: the rows of one patient tend to come together, and hashing again costs more
/// than remembering. 4,096 entries stay in the processor's second-level cache.
const REMEMBERED: usize = 4096;

/// Longer values are not remembered, so that an entry has a fixed size.
const LONGEST_REMEMBERED: usize = 23;

/// Makes the pseudonyms of one kind at one site.
pub(super) struct Pseudonymiser {
    /// The hash after the key, the kind and the site.
    begun: KeyedHash,
    remembered: Vec<Remembered>,
    /// The canonical text of the current value.
    text: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Remembered {
    /// Length of the value plus one; 0 is an empty entry.
    mark: u8,
    value: [u8; LONGEST_REMEMBERED],
    digits: [u8; DIGITS],
}

impl Pseudonymiser {
    /// `kind` has no control character.
    pub(super) fn new(key: &PseudonymKey, kind: &str, site: &SiteKey) -> Self {
        let begun = key
            .keyed()
            .clone()
            .chain_update(kind)
            .chain_update([SEPARATOR])
            .chain_update(site.as_str())
            .chain_update([SEPARATOR]);
        let empty = Remembered {
            mark: 0,
            value: [0; LONGEST_REMEMBERED],
            digits: [0; DIGITS],
        };
        Self {
            begun,
            remembered: vec![empty; REMEMBERED],
            text: Vec::new(),
        }
    }

    /// The pseudonyms of a column of whole numbers, texts or UUIDs. Null stays null, and blank text, which
    /// names nobody, becomes null: else all who lack a number would look like one person.
    pub(super) fn of_column(&mut self, source: &ArrayRef) -> StringArray {
        let write_text: &dyn Fn(usize, &mut Vec<u8>) = match source.data_type() {
            DataType::UInt8 => &number_writer::<UInt8Type>(source),
            DataType::Int16 => &number_writer::<Int16Type>(source),
            DataType::Int32 => &number_writer::<Int32Type>(source),
            DataType::Int64 => &number_writer::<Int64Type>(source),
            DataType::Decimal128(..) => &number_writer::<Decimal128Type>(source),
            DataType::FixedSizeBinary(_) => &uuid_writer(source),
            _ => &text_writer(source),
        };
        let mut pseudonyms = StringBuilder::with_capacity(source.len(), source.len() * DIGITS);
        for row in 0..source.len() {
            self.text.clear();
            if source.is_valid(row) {
                write_text(row, &mut self.text);
            }
            if self.text.is_empty() {
                pseudonyms.append_null();
            } else {
                let digits = self.of_canonical();
                let digits = std::str::from_utf8(&digits).expect("hex digits are ASCII");
                pseudonyms.append_value(digits);
            }
        }
        pseudonyms.finish()
    }

    /// The pseudonym of the canonical text at hand.
    fn of_canonical(&mut self) -> [u8; DIGITS] {
        if self.text.len() > LONGEST_REMEMBERED {
            return digits(&self.begun, &self.text);
        }
        let mut value = [0; LONGEST_REMEMBERED];
        value[..self.text.len()].copy_from_slice(&self.text);
        let mark = self.text.len() as u8 + 1;
        let entry = &mut self.remembered[place(&value)];
        if entry.mark != mark || entry.value != value {
            *entry = Remembered {
                mark,
                value,
                digits: digits(&self.begun, &self.text),
            };
        }
        entry.digits
    }
}

/// Writes the number of a row in decimal.
fn number_writer<T>(source: &ArrayRef) -> impl Fn(usize, &mut Vec<u8>)
where
    T: ArrowPrimitiveType,
    T::Native: std::fmt::Display,
{
    let numbers = source.as_primitive::<T>();
    move |row, text| write!(text, "{}", numbers.value(row)).expect("memory takes what is written")
}

/// Writes the UUID of a row, dashed and in lower case.
fn uuid_writer(source: &ArrayRef) -> impl Fn(usize, &mut Vec<u8>) {
    let uuids = source.as_fixed_size_binary();
    move |row, text| {
        let uuid = Uuid::from_slice(uuids.value(row)).expect("a UUID has sixteen bytes");
        let mut digits = [0; Hyphenated::LENGTH];
        text.extend_from_slice(uuid.as_hyphenated().encode_lower(&mut digits).as_bytes());
    }
}

/// Writes the text of a row without trailing blanks.
fn text_writer(source: &ArrayRef) -> impl Fn(usize, &mut Vec<u8>) {
    let texts = source.as_string::<i32>();
    move |row, text| text.extend_from_slice(texts.value(row).trim_end_matches(' ').as_bytes())
}

/// Where a value is remembered: any spread will do, for a collision only costs a hash.
fn place(value: &[u8; LONGEST_REMEMBERED]) -> usize {
    let word = |at: usize| {
        let bytes = value[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes)
    };
    let mixed = word(0)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(word(8))
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .wrapping_add(word(15))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize % REMEMBERED
}

fn digits(begun: &KeyedHash, value: &[u8]) -> [u8; DIGITS] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hash = begun.clone().chain_update(value).finalize().into_bytes();
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.iter()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 0xF)];
    }
    digits
}
