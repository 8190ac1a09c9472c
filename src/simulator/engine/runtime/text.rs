//! String functions over characters.

use super::collation::fold;

pub(crate) fn left(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(at, _)| &text[..at])
}

pub(crate) fn right(text: &str, count: usize) -> &str {
    let skip = text.chars().count().saturating_sub(count);
    text.char_indices()
        .nth(skip)
        .map_or("", |(at, _)| &text[at..])
}

/// SUBSTRING: starts count from one, and a start before the text uses up length.
pub(crate) fn substring(text: &str, start: i64, length: i64) -> &str {
    let end = start.saturating_add(length);
    let skip = usize::try_from((start - 1).max(0)).unwrap_or(usize::MAX);
    let take = usize::try_from((end - start.max(1)).max(0)).unwrap_or(usize::MAX);
    let rest = text
        .char_indices()
        .nth(skip)
        .map_or("", |(at, _)| &text[at..]);
    left(rest, take)
}

/// CHARINDEX: the first place at or after `start`, counted from one; zero when nowhere.
pub(crate) fn char_index(needle: &str, text: &str, start: i64) -> i64 {
    let needle: Vec<char> = needle.chars().map(fold).collect();
    let text: Vec<char> = text.chars().map(fold).collect();
    let from = usize::try_from((start - 1).max(0)).unwrap_or(usize::MAX);
    if needle.is_empty() || from >= text.len() {
        return 0;
    }
    let found = text[from..]
        .windows(needle.len())
        .position(|window| window == needle);
    found.map_or(0, |at| {
        i64::try_from(at + from + 1).expect("texts are shorter than that")
    })
}

/// REPLACE, without regard to case.
pub(crate) fn replace(text: &str, needle: &str, replacement: &str) -> String {
    if needle.is_empty() {
        return text.to_owned();
    }
    let needle: Vec<char> = needle.chars().map(fold).collect();
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let hit = chars.len() - at >= needle.len()
            && needle.iter().zip(&chars[at..]).all(|(a, b)| *a == fold(*b));
        if hit {
            out.push_str(replacement);
            at += needle.len();
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// STUFF: `None`, hence NULL, when the start is outside the text or the length negative.
pub(crate) fn stuff(text: &str, start: i64, length: i64, replacement: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let start = usize::try_from(start.checked_sub(1)?)
        .ok()
        .filter(|at| *at < chars.len())?;
    let length = usize::try_from(length).ok()?;
    let after = start.saturating_add(length).min(chars.len());
    let mut out: String = chars[..start].iter().collect();
    out.push_str(replacement);
    out.extend(&chars[after..]);
    Some(out)
}

/// TRANSLATE; `None` when the two lists differ in length.
pub(crate) fn translate(text: &str, from: &str, to: &str) -> Option<String> {
    let from: Vec<char> = from.chars().map(fold).collect();
    let to: Vec<char> = to.chars().collect();
    if from.len() != to.len() {
        return None;
    }
    Some(
        text.chars()
            .map(|c| {
                from.iter()
                    .position(|f| *f == fold(c))
                    .map_or(c, |at| to[at])
            })
            .collect(),
    )
}
