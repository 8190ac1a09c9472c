//! The slow route: a strict JSON scanner, as RFC 8259 has it, over bytes known to be UTF-8.
//!
//! It reads one value at a time and keeps numbers as text, so that no digit is lost to a float. Speed does
//! not matter here; being right about every odd page does.

use std::borrow::Cow;

use super::words::copy_unescaped;

/// One JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Flag(bool),
    /// A number as it is written.
    Number(&'a str),
    /// The characters of a string.
    Text(Cow<'a, str>),
    /// A string with half a surrogate pair: valid JSON, but no text.
    BrokenText,
    /// An array or an object, which no column holds.
    Nested,
}

/// The page is not JSON rows: what was expected, and how many bytes were left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) expected: &'static str,
    pub(super) left: usize,
}

pub(super) type Scan<'a, T> = Result<(T, &'a [u8]), Malformed>;

/// The error that `expected` does not stand at the beginning of `rest`.
pub(super) fn malformed(expected: &'static str, rest: &[u8]) -> Malformed {
    Malformed {
        expected,
        left: rest.len(),
    }
}

/// `rest` without leading JSON white space.
#[inline]
pub(super) fn skip_blanks(rest: &[u8]) -> &[u8] {
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        .count();
    &rest[blanks..]
}

/// `rest` behind the byte `wanted`, which must come next, and the white space around it.
pub(super) fn skip_mark<'a>(
    rest: &'a [u8],
    wanted: u8,
    expected: &'static str,
) -> Result<&'a [u8], Malformed> {
    match skip_blanks(rest) {
        [byte, after @ ..] if *byte == wanted => Ok(skip_blanks(after)),
        other => Err(malformed(expected, other)),
    }
}

/// Reads the value at the beginning of `rest`.
pub(super) fn value(rest: &[u8]) -> Scan<'_, Value<'_>> {
    match rest.first() {
        Some(b'"') => text(rest).map(|(text, after)| {
            let value = text.map_or(Value::BrokenText, Value::Text);
            (value, after)
        }),
        Some(b'-' | b'0'..=b'9') => {
            number(rest).map(|(number, after)| (Value::Number(number), after))
        }
        Some(b'{' | b'[') => skip_nested(rest).map(|after| (Value::Nested, after)),
        _ => literal(rest),
    }
}

fn literal(rest: &[u8]) -> Scan<'_, Value<'_>> {
    if let Some(after) = rest.strip_prefix(b"null") {
        Ok((Value::Null, after))
    } else if let Some(after) = rest.strip_prefix(b"true") {
        Ok((Value::Flag(true), after))
    } else if let Some(after) = rest.strip_prefix(b"false") {
        Ok((Value::Flag(false), after))
    } else {
        Err(malformed("a value", rest))
    }
}

/// Reads a number and gives it as it is written.
pub(super) fn number(rest: &[u8]) -> Scan<'_, &str> {
    let digits = |from: usize| {
        let run = rest[from..].iter().take_while(|byte| byte.is_ascii_digit());
        from + run.count()
    };
    let start = usize::from(rest.first() == Some(&b'-'));
    let mut end = digits(start);
    let leads_with_zero = rest.get(start) == Some(&b'0') && end > start + 1;
    if end == start || leads_with_zero {
        return Err(malformed("a number", rest));
    }
    if rest.get(end) == Some(&b'.') {
        let point = end;
        end = digits(point + 1);
        if end == point + 1 {
            return Err(malformed("a digit after the point", &rest[end..]));
        }
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        let first = end + 1 + sign;
        end = digits(first);
        if end == first {
            return Err(malformed("a digit of the exponent", &rest[end..]));
        }
    }
    let number = std::str::from_utf8(&rest[..end]).expect("digits, signs and points are ASCII");
    Ok((number, &rest[end..]))
}

/// Whether `text` is written exactly as JSON writes a number: the one grammar for numbers in text.
pub(super) fn is_number(text: &str) -> bool {
    matches!(number(text.as_bytes()), Ok((_, [])))
}

/// Reads a string; `None` if it holds half a surrogate pair.
pub(super) fn text(rest: &[u8]) -> Scan<'_, Option<Cow<'_, str>>> {
    let Some(body) = rest.strip_prefix(b"\"") else {
        return Err(malformed("a string", rest));
    };
    if let Some(read) = text_without_escapes(body) {
        return Ok(read);
    }
    let mut bytes = Vec::new();
    let (paired, after) = append_text(body, &mut bytes)?;
    let text = paired.then(|| {
        let text = String::from_utf8(bytes);
        Cow::Owned(text.expect("the page was checked and escapes are characters"))
    });
    Ok((text, after))
}

/// The string as it stands in the page, if it ends before its first backslash or control character.
fn text_without_escapes(body: &[u8]) -> Option<(Option<Cow<'_, str>>, &[u8])> {
    let end = body
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    let after = body[end..].strip_prefix(b"\"")?;
    let text = std::str::from_utf8(&body[..end]).expect("the page was checked");
    Some((Some(Cow::Borrowed(text)), after))
}

/// Appends the characters of the string whose opening quote stands just before `rest`, as UTF-8.
///
/// Says whether all surrogates were paired; if not, what was appended is not the string's text.
#[inline]
pub(super) fn append_text<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Scan<'a, bool> {
    let mut paired = true;
    loop {
        rest = copy_unescaped(rest, out);
        match rest {
            [b'"', after @ ..] => return Ok((paired, after)),
            [b'\\', b'u', after @ ..] => {
                let (character, after) = unicode_escape(after)?;
                match character {
                    Some(character) => {
                        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => paired = false,
                }
                rest = after;
            }
            [b'\\', after @ ..] => {
                let byte = after.first().and_then(|letter| escaped(*letter));
                out.push(byte.ok_or_else(|| malformed("an escape", after))?);
                rest = &after[1..];
            }
            [] => return Err(malformed("the closing quote of a string", rest)),
            _ => return Err(malformed("an escape instead of a control character", rest)),
        }
    }
}

/// The character that a backslash and `letter` stand for.
fn escaped(letter: u8) -> Option<u8> {
    match letter {
        b'"' | b'\\' | b'/' => Some(letter),
        b'b' => Some(8),
        b'f' => Some(12),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        _ => None,
    }
}

/// Reads the digits of a `\u` escape, and the second half of its pair; `None` for half a surrogate pair.
fn unicode_escape(rest: &[u8]) -> Scan<'_, Option<char>> {
    let (first, after) = four_hex_digits(rest)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((Some(character), after));
    }
    // The second half is taken only if it completes a pair: otherwise it is a character of its own.
    let second = after
        .strip_prefix(b"\\u")
        .and_then(|digits| four_hex_digits(digits).ok());
    match (first, second) {
        (0xD800..=0xDBFF, Some((second @ 0xDC00..=0xDFFF, after))) => {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            Ok((char::from_u32(code), after))
        }
        _ => Ok((None, after)),
    }
}

fn four_hex_digits(rest: &[u8]) -> Scan<'_, u32> {
    let Some((digits, after)) = rest.split_first_chunk::<4>() else {
        return Err(malformed("four hex digits", rest));
    };
    let mut code = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16);
        code = code * 16 + digit.ok_or_else(|| malformed("four hex digits", rest))?;
    }
    Ok((code, after))
}

/// `rest` behind the array or object at its beginning, of any depth: an explicit stack, so that no page
/// can exhaust the thread's.
fn skip_nested(mut rest: &[u8]) -> Result<&[u8], Malformed> {
    let mut closers = Vec::new();
    loop {
        rest = match rest.split_first() {
            Some((open @ (b'[' | b'{'), after)) => {
                let closer = if *open == b'[' { b']' } else { b'}' };
                match skip_blanks(after) {
                    [byte, after @ ..] if *byte == closer => after,
                    inner => {
                        closers.push(closer);
                        rest = enter(closer, inner)?;
                        continue;
                    }
                }
            }
            _ => value(rest)?.1,
        };
        rest = loop {
            let Some(closer) = closers.last().copied() else {
                return Ok(rest);
            };
            match skip_blanks(rest) {
                [b',', after @ ..] => break enter(closer, skip_blanks(after))?,
                [byte, after @ ..] if *byte == closer => {
                    closers.pop();
                    rest = after;
                }
                other => return Err(malformed("a comma or the end of a nested value", other)),
            }
        };
    }
}

/// `rest` at the next value of an array or, behind its key, of an object.
fn enter(closer: u8, rest: &[u8]) -> Result<&[u8], Malformed> {
    if closer == b']' {
        return Ok(rest);
    }
    let (_, after) = text(rest)?;
    skip_mark(after, b':', "a colon")
}
