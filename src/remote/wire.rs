//! What is common to all bodies on the wire: values whose JSON type cannot be relied on, and lists whose items
//! cannot.
//!
//! Bodies are read into typed shapes, never into a generic tree, and every item of a list is checked as it is read,
//! so that the memory a hostile or broken answer takes stays within [`READ_MULTIPLE`] times its size. Unknown
//! fields are ignored everywhere.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Most memory that reading an answer takes besides the answer itself, as a multiple of its bytes; a list that
/// grows is held twice for a moment, at twice its size. [`READ_SPARE_BYTES`] more for the smallest of answers.
pub const READ_MULTIPLE: usize = 16;

/// What reading an answer takes however small it is, in bytes.
pub const READ_SPARE_BYTES: usize = 4 << 10;

/// Why a body that reads as JSON cannot be used.
pub(crate) type Fault = &'static str;

/// A scalar that the API writes as a number here and as text there; anything else reads as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Loose {
    /// Missing, `null`, or of a shape nobody expects.
    #[default]
    Absent,
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
}

impl Loose {
    /// The value as text, if there is any.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some(text),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The value as a whole number, also from its text.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Absent => None,
        }
    }

    /// The value as a count.
    pub(crate) fn count(&self) -> Option<u64> {
        self.number().and_then(|number| u64::try_from(number).ok())
    }

    /// This value, or the other where this is absent.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Absent { other } else { self }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(i64::try_from(number).map_or(Loose::Absent, Loose::Number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        let whole = number.fract() == 0.0 && number.abs() < 9e15;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and below 2^53, so it is exact"
        )]
        Ok(if whole {
            Loose::Number(number as i64)
        } else {
            Loose::Absent
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Absent)
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Loose, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Absent)
    }
}

/// An item of a list, checked as it is read.
pub(crate) trait Item: Sized {
    /// Its shape on the wire.
    type Body: DeserializeOwned;

    /// The item; `None` for one that is of no use and does no harm.
    fn of(body: Self::Body) -> Result<Option<Self>, Fault>;
}

/// The items of a list. Nothing is kept of one that cannot be used, so that a list of empty objects takes no more
/// memory than its text.
#[derive(Debug)]
pub(crate) struct Checked<T> {
    items: Vec<T>,
    fault: Option<Fault>,
}

impl<T> Checked<T> {
    /// The items, or what is wrong with the first one that cannot be used.
    pub(crate) fn into_items(self) -> Result<Vec<T>, Fault> {
        self.fault.map_or(Ok(self.items), Err)
    }
}

impl<T> Default for Checked<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            fault: None,
        }
    }
}

impl<'de, T: Item> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CheckedVisitor(PhantomData))
    }
}

struct CheckedVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for CheckedVisitor<T> {
    type Value = Checked<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Checked<T>, A::Error> {
        let mut checked = Checked::default();
        while let Some(body) = list.next_element::<T::Body>()? {
            match T::of(body) {
                Ok(item) => checked.items.extend(item),
                Err(fault) => {
                    checked.fault.get_or_insert(fault);
                }
            }
        }
        Ok(checked)
    }
}
