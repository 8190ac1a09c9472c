//! What a result looks like by some of its rows, for a server that does not describe it.
//!
//! A guess, and said to be one: a type that every value of the sample fits, with room for longer ones. Values are
//! looked at and forgotten; nothing here is shown but names and types.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::describe::DescribedColumn;

/// Lengths of text that people write; a sample's longest value is rounded up to twice its length at least.
const LENGTHS: [usize; 7] = [10, 20, 50, 100, 200, 500, 1000];

/// One row: names and values as the JSON has them, in its order.
struct SampleRow<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for SampleRow<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cells;
        impl<'de> Visitor<'de> for Cells {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row as an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = map.next_entry()? {
                    cells.push(cell);
                }
                Ok(cells)
            }
        }
        deserializer.deserialize_map(Cells).map(Self)
    }
}

/// The columns of some rows, a JSON array of objects, in their order; those that hold nothing but null in all rows
/// are left out. `None` if it is no such array.
#[must_use]
pub fn sampled(rows: &[u8]) -> Option<Vec<DescribedColumn>> {
    let rows: Vec<SampleRow<'_>> = serde_json::from_slice(rows).ok()?;
    let mut columns: Vec<(String, Seen)> = Vec::new();
    for (name, value) in rows.iter().flat_map(|row| &row.0) {
        let place = columns.iter().position(|(known, _)| known == name);
        let place = place.unwrap_or_else(|| {
            columns.push((name.clone(), Seen::Nothing));
            columns.len() - 1
        });
        let seen = std::mem::replace(&mut columns[place].1, Seen::Nothing);
        columns[place].1 = seen.and(Seen::of(value.get())?);
    }
    let described = columns.into_iter().filter_map(|(name, seen)| {
        Some(DescribedColumn {
            name: Some(name),
            type_name: seen.type_name()?,
            // A sample without a null proves nothing.
            nullable: true,
        })
    });
    Some(described.collect())
}

/// What was seen of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Bit,
    /// Digits before and after the point.
    Number(usize, usize),
    /// An ISO date with a time.
    Moment,
    /// Characters of the longest.
    Text(usize),
}

impl Seen {
    /// `None` if it is not a value that a row can have.
    fn of(json: &str) -> Option<Self> {
        match json.bytes().next()? {
            b'n' => Some(Self::Nothing),
            b't' | b'f' => Some(Self::Bit),
            b'"' => {
                let text: String = serde_json::from_str(json).ok()?;
                Some(match is_moment(&text) {
                    true => Self::Moment,
                    false => Self::Text(text.chars().count()),
                })
            }
            b'-' | b'0'..=b'9' => {
                let digits = json.trim_start_matches('-');
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                Some(Self::Number(whole.len(), fraction.len()))
            }
            _ => None,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, seen) | (seen, Self::Nothing) => seen,
            (Self::Number(a, b), Self::Number(c, d)) => Self::Number(a.max(c), b.max(d)),
            (Self::Text(a), Self::Text(b)) => Self::Text(a.max(b)),
            (one, other) if one == other => one,
            (one, other) => Self::Text(one.width().max(other.width())),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Bit => 5,
            Self::Number(whole, fraction) => whole + fraction + 2,
            Self::Moment => 27,
            Self::Text(length) => length,
        }
    }

    fn type_name(self) -> Option<String> {
        Some(match self {
            Self::Nothing => return None,
            Self::Bit => "bit".to_owned(),
            Self::Number(whole, 0) if whole <= 9 => "int".to_owned(),
            Self::Number(whole, 0) if whole <= 18 => "bigint".to_owned(),
            Self::Number(whole, fraction) => {
                let scale = fraction.min(10);
                format!("decimal({},{scale})", (whole + 4).min(28) + scale)
            }
            Self::Moment => "datetime".to_owned(),
            Self::Text(longest) => {
                let length = LENGTHS.iter().find(|length| **length >= longest * 2);
                length.map_or("varchar(max)".to_owned(), |length| {
                    format!("varchar({length})")
                })
            }
        })
    }
}

/// `2026-11-18T00:00:00`, with a fraction or without.
fn is_moment(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    text.len() >= shape.len()
        && text.len() <= shape.len() + 8
        && text.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(rows: &str) -> Option<Vec<(String, String)>> {
        let columns = sampled(rows.as_bytes())?.into_iter();
        Some(
            columns
                .map(|column| (column.name.unwrap_or_default(), column.type_name))
                .collect(),
        )
    }

    #[test]
    fn a_type_is_guessed_that_holds_every_value_seen_and_longer_ones() {
        let rows = r#"[
            {"z_id": 7, "big": 12345678901, "paid": 1.5, "is_live": true, "seen": "2026-11-18T00:00:00", "name": "abcde", "gone": null},
            {"z_id": null, "big": 1, "paid": -120.25, "is_live": false, "seen": "2026-11-18T09:30:00.123", "name": "ab", "gone": null}
        ]"#;

        let expected = [
            ("z_id", "int"),
            ("big", "bigint"),
            ("paid", "decimal(9,2)"),
            ("is_live", "bit"),
            ("seen", "datetime"),
            ("name", "varchar(10)"),
        ];
        let expected = expected.map(|(name, guess)| (name.to_owned(), guess.to_owned()));
        assert_eq!(types(rows), Some(expected.to_vec()));
    }

    #[test]
    fn values_of_two_kinds_are_text_and_no_rows_tell_nothing() {
        let mixed = types(r#"[{"a": 1}, {"a": "<0.5"}, {"a": "2026-11-18T00:00:00"}]"#);
        assert_eq!(
            mixed,
            Some(vec![("a".to_owned(), "varchar(100)".to_owned())])
        );
        assert_eq!(types("[]"), Some(Vec::new()));
        assert_eq!(types(r#"{"error": 1}"#), None);
        assert_eq!(types(r#"[{"a": [1]}]"#), None);
    }
}
