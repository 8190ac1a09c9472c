//! String functions as SQLite functions.

use rusqlite::types::{Value as Stored, ValueRef};
use sha2::Digest;

use super::pattern::Pattern;
use super::{Answer, Arguments, Function, collation, digits, format, text, unexpected};
use crate::SqlError;

pub(super) const LIST: &[(&str, i32, Function)] = &[
    ("t_len", 1, |a| {
        count(a.text(0)?.trim_end_matches(' ').chars().count())
    }),
    ("t_datalength", 2, data_length),
    ("t_left", 2, |a| {
        Ok(owned(text::left(a.text(0)?, length(a, 1, "left")?)))
    }),
    ("t_right", 2, |a| {
        Ok(owned(text::right(a.text(0)?, length(a, 1, "right")?)))
    }),
    ("t_substring", 3, substring),
    ("t_replace", 3, |a| {
        Ok(Stored::Text(text::replace(
            a.text(0)?,
            a.text(1)?,
            a.text(2)?,
        )))
    }),
    ("t_charindex", 3, |a| {
        Ok(Stored::Integer(text::char_index(
            a.text(0)?,
            a.text(1)?,
            a.integer(2)?,
        )))
    }),
    ("t_patindex", 2, |a| {
        count(pattern(a, 0, None)?.position(a.text(1)?))
    }),
    ("t_like", 3, like),
    ("t_like", 4, like),
    ("t_reverse", 1, |a| {
        Ok(Stored::Text(a.text(0)?.chars().rev().collect()))
    }),
    ("t_replicate", 2, replicate),
    ("t_upper", 1, |a| {
        Ok(Stored::Text(a.text(0)?.to_uppercase()))
    }),
    ("t_lower", 1, |a| {
        Ok(Stored::Text(a.text(0)?.to_lowercase()))
    }),
    ("t_ltrim", 1, |a| {
        Ok(owned(a.text(0)?.trim_start_matches(' ')))
    }),
    ("t_rtrim", 1, |a| {
        Ok(owned(a.text(0)?.trim_end_matches(' ')))
    }),
    ("t_trim", 1, |a| Ok(owned(a.text(0)?.trim_matches(' ')))),
    ("t_trim", 2, |a| {
        Ok(owned(a.text(0)?.trim_matches(|c| {
            a.text(1).is_ok_and(|set| set.contains(c))
        })))
    }),
    ("t_char", 1, character),
    ("t_unicode", 1, |a| {
        Ok(a.text(0)?
            .chars()
            .next()
            .map_or(Stored::Null, |c| Stored::Integer(i64::from(u32::from(c)))))
    }),
    ("t_translate", 3, translate),
    ("t_quotename", 2, quote_name),
    ("t_format_number", 3, format_number),
    ("t_hash", 2, hash),
    ("t_same_text", 2, |a| {
        Ok(Stored::Integer(i64::from(collation::equal(
            a.text(0)?,
            a.text(1)?,
        ))))
    }),
    ("t_json_array", 2, split),
];

/// Functions that treat NULL as a value.
pub(super) const LOOKING_AT_NULL: &[(&str, i32, Function)] = &[
    ("t_concat", -1, concat),
    ("t_concat_ws", -1, concat_with_separator),
    ("t_stuff", 4, stuff),
    ("t_one", 2, single),
];

fn owned(text: &str) -> Stored {
    Stored::Text(text.to_owned())
}

fn count(number: usize) -> Answer {
    i64::try_from(number)
        .map(Stored::Integer)
        .map_err(|_| SqlError::overflow("int"))
}

fn length(a: &Arguments<'_, '_>, at: usize, function: &str) -> Result<usize, SqlError> {
    usize::try_from(a.integer(at)?).map_err(|_| invalid_length(function))
}

fn invalid_length(function: &str) -> SqlError {
    SqlError::new(
        537,
        format!(
            "Invalid length parameter passed to the {} function.",
            function.to_uppercase()
        ),
    )
}

/// `t_datalength(text, bytes per character)`; binary counts its bytes.
fn data_length(a: &Arguments<'_, '_>) -> Answer {
    let width = length(a, 1, "datalength")?;
    match a.raw(0) {
        ValueRef::Blob(bytes) => count(bytes.len()),
        _ if width == 2 => count(a.text(0)?.encode_utf16().count() * 2),
        _ => count(a.text(0)?.chars().count()),
    }
}

fn substring(a: &Arguments<'_, '_>) -> Answer {
    let (start, wanted) = (a.integer(1)?, a.integer(2)?);
    if wanted < 0 {
        return Err(invalid_length("substring"));
    }
    if let ValueRef::Blob(bytes) = a.raw(0) {
        let skip = usize::try_from((start - 1).max(0))
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let end = usize::try_from((start.saturating_add(wanted) - 1).max(0))
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        return Ok(Stored::Blob(bytes[skip..end.max(skip)].to_vec()));
    }
    Ok(owned(text::substring(a.text(0)?, start, wanted)))
}

fn pattern(
    a: &Arguments<'_, '_>,
    at: usize,
    escape: Option<char>,
) -> Result<std::sync::Arc<Pattern>, SqlError> {
    // SQLite keeps what is made of a constant argument for the whole statement.
    let index = i32::try_from(at).expect("few arguments");
    a.context
        .get_or_create_aux(index, |text| {
            text.as_str().map(|text| Pattern::new(text, escape))
        })
        .map_err(|_| unexpected(at))
}

/// `t_like(text, pattern, ignore trailing blanks[, escape])`.
fn like(a: &Arguments<'_, '_>) -> Answer {
    let escape = if a.len() == 4 {
        a.text(3)?.chars().next()
    } else {
        None
    };
    let matches = pattern(a, 1, escape)?.matches(a.text(0)?, a.integer(2)? != 0);
    Ok(Stored::Integer(i64::from(matches)))
}

fn replicate(a: &Arguments<'_, '_>) -> Answer {
    Ok(
        usize::try_from(a.integer(1)?).map_or(Stored::Null, |times| {
            let text = left_of_8000(a.text(0).unwrap_or_default(), times);
            Stored::Text(text)
        }),
    )
}

/// REPLICATE and SPACE stop at 8000 characters, as for any argument that is not `max`.
fn left_of_8000(text: &str, times: usize) -> String {
    text.chars()
        .cycle()
        .take(text.chars().count().saturating_mul(times).min(8000))
        .collect()
}

fn character(a: &Arguments<'_, '_>) -> Answer {
    let c = u32::try_from(a.integer(0)?).ok().and_then(char::from_u32);
    Ok(c.map_or(Stored::Null, |c| Stored::Text(c.to_string())))
}

fn translate(a: &Arguments<'_, '_>) -> Answer {
    let text = text::translate(a.text(0)?, a.text(1)?, a.text(2)?);
    text.map(Stored::Text).ok_or_else(|| {
        SqlError::new(9828, "The second and third arguments of the TRANSLATE built-in function must contain an equal number of characters.")
    })
}

fn quote_name(a: &Arguments<'_, '_>) -> Answer {
    let name = a.text(0)?;
    Ok(match a.text(1)?.chars().next() {
        Some('[' | ']') => Stored::Text(format!("[{}]", name.replace(']', "]]"))),
        Some(quote @ ('\'' | '"')) => Stored::Text(format!(
            "{quote}{}{quote}",
            name.replace(quote, &format!("{quote}{quote}"))
        )),
        _ => Stored::Null,
    })
}

/// `t_format_number(decimal, scale, picture)`.
fn format_number(a: &Arguments<'_, '_>) -> Answer {
    let text = format::number(a.decimal(0)?, a.small(1)?, a.text(2)?);
    text.map(Stored::Text)
        .ok_or_else(|| SqlError::unsupported("FORMAT"))
}

/// `t_hash(algorithm, value)`: HASHBYTES over the bytes the value has on the server.
fn hash(a: &Arguments<'_, '_>) -> Answer {
    let bytes = a.bytes(1)?;
    match a.text(0)?.to_ascii_uppercase().as_str() {
        "SHA2_256" => Ok(Stored::Blob(sha2::Sha256::digest(bytes).to_vec())),
        "SHA2_512" => Ok(Stored::Blob(sha2::Sha512::digest(bytes).to_vec())),
        other => Err(SqlError::unsupported(format_args!("HASHBYTES('{other}')"))),
    }
}

/// `t_json_array(text, separator)`: what STRING_SPLIT walks over.
fn split(a: &Arguments<'_, '_>) -> Answer {
    let (text, separator) = (a.text(0)?, a.text(1)?);
    let parts: Vec<&str> = text.split(separator).collect();
    serde_json::to_string(&parts)
        .map(Stored::Text)
        .map_err(|_| unexpected(0))
}

fn concat(a: &Arguments<'_, '_>) -> Answer {
    joined(a, 0, b"")
}

fn concat_with_separator(a: &Arguments<'_, '_>) -> Answer {
    match a.raw(0) {
        ValueRef::Null => joined(a, 1, b""),
        _ => joined(a, 1, a.text(0)?.as_bytes()),
    }
}

/// The arguments from one on, without those that are NULL. Whole numbers come as numbers: their text is their digits.
fn joined(a: &Arguments<'_, '_>, from: usize, separator: &[u8]) -> Answer {
    let mut out = Vec::with_capacity(128);
    let mut between: &[u8] = b"";
    for at in from..a.len() {
        let value = a.raw(at);
        if !matches!(value, ValueRef::Null) {
            out.extend_from_slice(between);
            between = separator;
        }
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(number) => digits::write_signed(&mut out, number),
            ValueRef::Text(text) => out.extend_from_slice(text),
            _ => return Err(unexpected(at)),
        }
    }
    let text = String::from_utf8(out).map_err(|_| unexpected(from))?;
    Ok(Stored::Text(text))
}

/// A NULL replacement deletes.
fn stuff(a: &Arguments<'_, '_>) -> Answer {
    if (0..3).any(|at| matches!(a.raw(at), ValueRef::Null)) {
        return Ok(Stored::Null);
    }
    let replacement = if matches!(a.raw(3), ValueRef::Null) {
        ""
    } else {
        a.text(3)?
    };
    let stuffed = text::stuff(a.text(0)?, a.integer(1)?, a.integer(2)?, replacement);
    Ok(stuffed.map_or(Stored::Null, Stored::Text))
}

/// `t_one(how many, value)`: a subquery used as a value may have one row at most.
fn single(a: &Arguments<'_, '_>) -> Answer {
    if a.integer(0)? > 1 {
        return Err(SqlError::new(
            512,
            "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.",
        ));
    }
    a.raw(1).try_into().map_err(|_| unexpected(1))
}
