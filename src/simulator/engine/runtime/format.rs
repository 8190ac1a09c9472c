//! FORMAT, for the picture strings that reports use; any other is refused.

use super::calendar::{self, DAY, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS};
use super::decimal;
use super::digits::write as digits;

/// A date under a .NET custom picture; `None` for a picture that is not known.
pub(crate) fn date(ticks: i64, picture: &str) -> Option<String> {
    let picture = match picture {
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        other if other.len() < 2 => return None,
        other => other,
    };
    let mut out = Vec::new();
    let mut rest = picture;
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let close = rest[1..].find(first)?;
            out.extend_from_slice(&rest.as_bytes()[1..=close]);
            rest = &rest[close + 2..];
            continue;
        }
        let run = rest.chars().take_while(|c| *c == first).count();
        if first.is_ascii_alphabetic() && first != 'T' {
            write_part(&mut out, ticks, first, run)?;
        } else {
            out.extend_from_slice(&rest.as_bytes()[..run * first.len_utf8()]);
        }
        rest = &rest[run * first.len_utf8()..];
    }
    String::from_utf8(out).ok()
}

fn write_part(out: &mut Vec<u8>, ticks: i64, part: char, width: usize) -> Option<()> {
    let civil = calendar::take_apart(ticks);
    let time = civil.time;
    let named = |names: &[&str], at: i64| {
        let name = names[usize::try_from(at).expect("a month or weekday")];
        if width == 3 {
            name[..3].to_owned()
        } else {
            name.to_owned()
        }
    };
    match (part, width) {
        ('y', 2) => digits(out, civil.year % 100, 2),
        ('y', 4) => digits(out, civil.year, 4),
        ('M', 1 | 2) => digits(out, civil.month, width),
        ('M', 3 | 4) => out.extend_from_slice(named(&MONTHS, civil.month - 1).as_bytes()),
        ('d', 1 | 2) => digits(out, civil.day, width),
        ('d', 3 | 4) => out.extend_from_slice(
            named(&WEEKDAYS, (ticks.div_euclid(DAY) + 1).rem_euclid(7)).as_bytes(),
        ),
        ('H', 1 | 2) => digits(out, time / HOUR, width),
        ('h', 1 | 2) => digits(out, (time / HOUR + 11) % 12 + 1, width),
        ('m', 1 | 2) => digits(out, time / MINUTE % 60, width),
        ('s', 1 | 2) => digits(out, time / SECOND % 60, width),
        ('f', 1..=7) => {
            let unit = 10i64.pow(u32::try_from(7 - width).expect("one to seven"));
            digits(out, time % SECOND / unit, width);
        }
        ('t', 2) => out.extend_from_slice(if time >= 12 * HOUR { b"PM" } else { b"AM" }),
        _ => return None,
    }
    Some(())
}

/// A number under a standard picture (`N2`, `F2`, `D5`) or a custom one of `0`, `#`, `,` and `.`.
pub(crate) fn number(unscaled: i128, scale: u8, picture: &str) -> Option<String> {
    let standard = picture.chars().next().filter(|first| {
        picture[first.len_utf8()..]
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    });
    match standard {
        Some('N' | 'n') => fixed(unscaled, scale, 1, precision(picture, 2)?, true),
        Some('F' | 'f') => fixed(unscaled, scale, 1, precision(picture, 2)?, false),
        Some('D' | 'd') if scale == 0 => fixed(
            unscaled,
            0,
            usize::from(precision(picture, 0)?).max(1),
            0,
            false,
        ),
        _ => custom(unscaled, scale, picture),
    }
}

fn precision(picture: &str, default: u8) -> Option<u8> {
    if picture.len() == 1 {
        Some(default)
    } else {
        picture[1..].parse().ok()
    }
}

fn custom(unscaled: i128, scale: u8, picture: &str) -> Option<String> {
    if picture.is_empty()
        || picture
            .bytes()
            .any(|byte| !matches!(byte, b'0' | b'#' | b',' | b'.'))
    {
        return None;
    }
    let (whole, fraction) = picture.split_once('.').unwrap_or((picture, ""));
    let grouped = whole.contains(',');
    let width = whole.bytes().filter(|byte| *byte == b'0').count();
    let decimals = u8::try_from(fraction.len()).ok()?;
    let mut text = fixed(unscaled, scale, width, decimals, grouped)?;
    let optional = fraction
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'#')
        .count();
    for _ in 0..optional {
        if text.ends_with('0') {
            text.pop();
        }
    }
    Some(text.strip_suffix('.').map(str::to_owned).unwrap_or(text))
}

fn fixed(unscaled: i128, scale: u8, width: usize, decimals: u8, grouped: bool) -> Option<String> {
    let text = decimal::to_text(decimal::rescale(unscaled, scale, decimals)?, decimals);
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = if whole == "0" { "" } else { whole };
    let whole = format!("{whole:0>width$}");
    let whole = if grouped { group(&whole) } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn group(whole: &str) -> String {
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
