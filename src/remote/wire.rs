//! What is common to all bodies on the wire: values whose JSON type cannot be relied on.
//!
//! Bodies are read into typed shapes, never into a generic tree, so that the memory a hostile or broken
//! answer takes stays within a small multiple of its size. Unknown fields are ignored everywhere.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
