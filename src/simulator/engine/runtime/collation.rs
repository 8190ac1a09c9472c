//! How text compares: without regard to case or trailing blanks, as `SQL_Latin1_General_CP1_CI_AS` does.
//!
//! Equality follows the collation: case aside, accents count. Order follows it for letters, digits and blanks;
//! Latin letters with accents stand beside their base letter, other characters by code point.

use std::cmp::Ordering;

/// Compares two texts.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    let primary = a.chars().map(weight).cmp(b.chars().map(weight));
    // Accents decide only between texts that are otherwise equal.
    primary.then_with(|| a.chars().map(fold).cmp(b.chars().map(fold)))
}

/// Whether two texts are equal: case aside, trailing blanks aside.
pub(crate) fn equal(a: &str, b: &str) -> bool {
    compare(a, b) == Ordering::Equal
}

/// The character without its case.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

fn weight(c: char) -> u32 {
    let c = base_letter(fold(c));
    let code = u32::from(c);
    match c {
        '0'..='9' => 0x1000 + code,
        'a'..='z' => 0x2000 + code,
        _ if c.is_ascii() => code,
        _ => 0x1_0000 + code,
    }
}

fn base_letter(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'į' => 'i',
        'ł' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'ş' | 'š' => 's',
        'ť' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        _ => c,
    }
}
