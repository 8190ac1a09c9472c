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

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use hmac::Mac;
use uuid::Uuid;

use super::key::{KeyedHash, PseudonymKey};
use crate::domain::SiteKey;

/// Hex digits of a pseudonym.
const DIGITS: usize = 32;

const SEPARATOR: u8 = 0x1F;

/// Pseudonyms that are remembered at most: about as many as a practice has patients. The table, then 1.5 MiB,
/// stays in the processor's second-level cache, and looking there is several times cheaper than hashing.
const MOST_REMEMBERED: usize = 1 << 15;

/// Pseudonyms that are remembered at first, so that a small result does not pay for a large table.
const FIRST_REMEMBERED: usize = 1 << 6;

/// Makes the pseudonyms of one kind at one site.
pub(super) struct Pseudonymiser {
    /// The hash after the key, the kind and the site.
    begun: KeyedHash,
    /// A power of two of places; see [`place`].
    remembered: Vec<Remembered>,
    rows: usize,
    /// Where a value is written canonically before it is hashed.
    text: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Remembered {
    key: u128,
    /// The pseudonym; zeros in an empty entry.
    digits: [u8; DIGITS],
}

const EMPTY: Remembered = Remembered {
    key: 0,
    digits: [0; DIGITS],
};

/// A value that names something.
enum Name<'a> {
    Number(i128),
    Uuid(Uuid),
    /// Without trailing blanks.
    Text(&'a str),
}

impl Name<'_> {
    /// What tells the value from all others of its column; `None` for long text.
    fn key(&self) -> Option<u128> {
        match self {
            Self::Number(number) => Some(number.cast_unsigned()),
            Self::Uuid(uuid) => Some(uuid.as_u128()),
            Self::Text(text) => {
                let mut bytes = [0; 16];
                let (length, characters) = bytes.split_last_mut().expect("sixteen bytes");
                characters
                    .get_mut(..text.len())?
                    .copy_from_slice(text.as_bytes());
                *length = text.len() as u8;
                Some(u128::from_le_bytes(bytes))
            }
        }
    }

    fn write_canonically(&self, text: &mut Vec<u8>) {
        text.clear();
        match self {
            Self::Number(number) => write!(text, "{number}"),
            Self::Uuid(uuid) => write!(text, "{}", uuid.as_hyphenated()),
            Self::Text(characters) => text.write_all(characters.as_bytes()),
        }
        .expect("memory takes what is written");
    }
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
        Self {
            begun,
            remembered: vec![EMPTY; FIRST_REMEMBERED],
            rows: 0,
            text: Vec::new(),
        }
    }

    /// The pseudonyms of a column of whole numbers, texts or UUIDs. Null stays null, and blank text, which
    /// names nobody, becomes null: else all who lack a number would look like one person.
    pub(super) fn of_column(&mut self, source: &ArrayRef) -> StringArray {
        match source.data_type() {
            DataType::UInt8 => self.of_rows(source, numbers::<UInt8Type>(source)),
            DataType::Int16 => self.of_rows(source, numbers::<Int16Type>(source)),
            DataType::Int32 => self.of_rows(source, numbers::<Int32Type>(source)),
            DataType::Int64 => self.of_rows(source, numbers::<Int64Type>(source)),
            DataType::Decimal128(..) => self.of_rows(source, numbers::<Decimal128Type>(source)),
            DataType::FixedSizeBinary(_) => self.of_rows(source, uuids(source)),
            _ => self.of_rows(source, texts(source)),
        }
    }

    fn of_rows<'a>(
        &mut self,
        source: &ArrayRef,
        name_of: impl Fn(usize) -> Option<Name<'a>>,
    ) -> StringArray {
        self.make_room(source.len());
        let nulls = source.nulls();
        // The parts of the column are filled directly: a builder wants each pseudonym as text, and to check that it is
        // text takes longer than to look it up. All together are checked at the end.
        let mut digits = Vec::with_capacity(source.len() * DIGITS);
        let mut lengths = Vec::with_capacity(source.len());
        let mut named = NullBufferBuilder::new(source.len());
        for row in 0..source.len() {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            let name = if is_null { None } else { name_of(row) };
            named.append(name.is_some());
            lengths.push(name.as_ref().map_or(0, |_| DIGITS));
            if let Some(name) = name {
                digits.extend_from_slice(&self.of_name(&name));
            }
        }
        let ends = OffsetBuffer::from_lengths(lengths);
        StringArray::try_new(ends, digits.into(), named.finish())
            .expect("hex digits are text, and there is a length for each row")
    }

    fn of_name(&mut self, name: &Name<'_>) -> [u8; DIGITS] {
        let Some(key) = name.key() else {
            return self.hash(name);
        };
        let place = place(key, self.remembered.len());
        let entry = self.remembered[place];
        if entry.key == key && entry.digits[0] != 0 {
            return entry.digits;
        }
        let digits = self.hash(name);
        self.remembered[place] = Remembered { key, digits };
        digits
    }

    /// Remembers as many pseudonyms as there were rows, within bounds.
    fn make_room(&mut self, rows: usize) {
        self.rows = self.rows.saturating_add(rows).min(MOST_REMEMBERED);
        let wanted = self.rows.next_power_of_two();
        if wanted <= self.remembered.len() {
            return;
        }
        let before = std::mem::replace(&mut self.remembered, vec![EMPTY; wanted]);
        for entry in before.into_iter().filter(|entry| entry.digits[0] != 0) {
            self.remembered[place(entry.key, wanted)] = entry;
        }
    }

    fn hash(&mut self, name: &Name<'_>) -> [u8; DIGITS] {
        name.write_canonically(&mut self.text);
        let hash = self
            .begun
            .clone()
            .chain_update(&self.text)
            .finalize()
            .into_bytes();
        hex(hash.first_chunk().expect("SHA-256 has 32 bytes"))
    }
}

fn numbers<'a, T>(source: &'a ArrayRef) -> impl Fn(usize) -> Option<Name<'a>>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    let numbers = source.as_primitive::<T>();
    move |row| Some(Name::Number(numbers.value(row).into()))
}

fn uuids<'a>(source: &'a ArrayRef) -> impl Fn(usize) -> Option<Name<'a>> {
    let uuids = source.as_fixed_size_binary();
    move |row| Uuid::from_slice(uuids.value(row)).ok().map(Name::Uuid)
}

fn texts<'a>(source: &'a ArrayRef) -> impl Fn(usize) -> Option<Name<'a>> {
    let texts = source.as_string::<i32>();
    move |row| {
        let text = texts.value(row).trim_end_matches(' ');
        (!text.is_empty()).then_some(Name::Text(text))
    }
}

/// Where a key is remembered among `places`, a power of two from 2. The upper bits of a product with the
/// golden ratio spread consecutive numbers evenly; a collision only costs a hash.
fn place(key: u128, places: usize) -> usize {
    let folded = (key as u64) ^ (key >> 64) as u64;
    let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (u64::BITS - places.ilog2())) as usize
}

/// Two lower-case hex digits for each byte.
fn hex(bytes: &[u8; DIGITS / 2]) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 0xF)];
    }
    digits
}
