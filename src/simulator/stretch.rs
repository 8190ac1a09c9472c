//! Stretches of time as people write them in scenarios: `90s`, `7h30m`, `1d`, or a number of seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration read from text or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch(pub(super) Duration);

impl Stretch {
    /// Reads `7h30m`; the units are d, h, m, s and ms.
    pub(super) fn parse(text: &str) -> Option<Stretch> {
        let mut rest = text.trim();
        let mut total = Duration::ZERO;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let number: u64 = rest[..digits].parse().ok()?;
            let unit_end = rest[digits..]
                .find(|c: char| !c.is_ascii_alphabetic())
                .map_or(rest.len(), |n| digits + n);
            total = total.checked_add(unit(&rest[digits..unit_end], number)?)?;
            rest = rest[unit_end..].trim_start();
        }
        Some(Stretch(total))
    }
}

fn unit(name: &str, number: u64) -> Option<Duration> {
    let seconds = match name {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

impl<'de> Deserialize<'de> for Stretch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Duration::try_from_secs_f64(seconds).ok().map(Stretch),
            Written::Text(text) => Stretch::parse(&text),
        }
        .ok_or_else(|| {
            de::Error::custom(
                "write a time such as \"7h30m\", \"90s\", \"1d\" or a number of seconds",
            )
        })
    }
}

impl Serialize for Stretch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(
            Stretch::parse("7h30m"),
            Some(Stretch(Duration::from_secs(27_000)))
        );
        assert_eq!(
            Stretch::parse("1d 1s"),
            Some(Stretch(Duration::from_secs(86_401)))
        );
        assert_eq!(
            Stretch::parse("250ms"),
            Some(Stretch(Duration::from_millis(250)))
        );
    }

    #[test]
    fn a_number_without_unit_or_an_unknown_unit_is_refused() {
        assert_eq!(Stretch::parse("7"), None);
        assert_eq!(Stretch::parse("7y"), None);
        assert_eq!(Stretch::parse(""), None);
    }
}
