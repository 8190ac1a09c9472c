//! How alike two practice names are: whether the practice that answers is the one that was expected.

use std::collections::BTreeSet;

/// From this similarity on, two names are taken for one practice without asking a person.
pub const SAME_PRACTICE: f64 = 0.78;

/// Words that say nothing about which practice it is, and are left out wholly.
const NOISE: [&str; 6] = ["the", "pty", "ltd", "limited", "and", "trust"];

/// Words that many practices have in their name: they count for half.
const GENERIC: [&str; 15] = [
    "medical",
    "centre",
    "center",
    "practice",
    "family",
    "general",
    "health",
    "clinic",
    "clinics",
    "surgery",
    "doctors",
    "gp",
    "healthcare",
    "group",
    "services",
];

/// How alike two names are, from 0 to 1, but for case, punctuation and words such as `Pty Ltd`.
///
/// The mean of two comparisons by pairs of letters: of the whole names, and of what is left of them without
/// words such as `Medical Centre`. So neither do two practices of one suburb pass for one, nor is a practice
/// refused because one side abbreviates `Centre`.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let whole = dice(&a.concat(), &b.concat());
    let (own_a, own_b) = (distinctive(&a), distinctive(&b));
    let own = match (own_a.is_empty(), own_b.is_empty()) {
        (false, false) => dice(&own_a, &own_b),
        _ => whole,
    };
    f64::midpoint(whole, own)
}

fn words(name: &str) -> Vec<String> {
    let letters: String = name
        .chars()
        // An apostrophe joins: St Brigid's is one word, however it is typed.
        .filter(|c| !matches!(c, '\'' | '’'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .flat_map(char::to_lowercase)
        .collect();
    letters
        .split_whitespace()
        .filter(|word| !NOISE.contains(word))
        .map(str::to_owned)
        .collect()
}

fn distinctive(words: &[String]) -> String {
    words
        .iter()
        .filter(|word| !GENERIC.contains(&word.as_str()))
        .map(String::as_str)
        .collect()
}

/// Sørensen and Dice's coefficient over the pairs of neighbouring letters.
fn dice(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let pairs =
        |text: &str| -> BTreeSet<(char, char)> { text.chars().zip(text.chars().skip(1)).collect() };
    let (a, b) = (pairs(a), pairs(b));
    let common = a.intersection(&b).count();
    match a.len() + b.len() {
        0 => 0.0,
        all => 2.0 * common as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_practice_spelled_in_two_ways_is_the_same() {
        for (a, b) in [
            ("Example Medical Centre", "EXAMPLE MEDICAL CENTRE"),
            ("Example Medical Centre", "Example Medical Center Pty Ltd"),
            ("Smith St. Medical Centre", "Smith Street Medical Centre"),
            ("St Brigid’s Family Practice", "St Brigid's Family Practice"),
            ("The Red Gum General Practice", "Red Gum General Practice"),
            ("Wattle Grove Medical", "Wattle Grove Medical Centre"),
        ] {
            assert!(
                similarity(a, b) >= SAME_PRACTICE,
                "{a} / {b}: {}",
                similarity(a, b)
            );
        }
    }

    #[test]
    fn two_practices_are_not_the_same_though_their_names_share_words() {
        for (a, b) in [
            (
                "Wattle Grove Medical Centre",
                "Wattle Grove Family Practice",
            ),
            ("Smith Street Medical Centre", "Jones Street Medical Centre"),
            ("North Medical Centre", "South Medical Centre"),
            ("Riverbend Doctors", "Kurrajong Family Practice"),
            ("Family Practice", "Medical Centre"),
            ("", ""),
            ("!", "?"),
        ] {
            assert!(
                similarity(a, b) < SAME_PRACTICE,
                "{a} / {b}: {}",
                similarity(a, b)
            );
        }
    }

    #[test]
    fn similarity_has_no_side_and_ends_at_one() {
        let (a, b) = ("Coral Tree Health Clinic", "Coral Tree Clinic");
        assert_eq!(similarity(a, b), similarity(b, a));
        assert_eq!(similarity(a, a), 1.0);
    }
}
