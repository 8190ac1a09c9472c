//! The words of a statement: what writes or runs something, which parameters, whose data.

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::super::problem::Report;
use super::super::source::Place;
use super::syntax::place;
use crate::domain::Mode;

const WINDOW: [&str; 2] = ["@window_start", "@window_end"];
const DATE: [&str; 1] = ["@snapshot_date"];

/// Reserved words of T-SQL that a SELECT which only reads has no use for. As reserved words they
/// cannot be names unless quoted, and quoted words are not looked at.
const REFUSED: &str = "ALTER BACKUP BEGIN BULK COMMIT CREATE DBCC DECLARE DELETE DENY DROP EXEC EXECUTE GOTO \
    GRANT IF INSERT INTO KILL MERGE OPENDATASOURCE OPENQUERY OPENROWSET OPENXML PRINT \
    RAISERROR READTEXT RECONFIGURE RESTORE RETURN REVOKE ROLLBACK SAVE SET SHUTDOWN TRUNCATE \
    UPDATE UPDATETEXT USE WAITFOR WHILE WRITETEXT";

/// Tables and columns by which a statement reaches patients, in upper case.
const PATIENT_WORDS: [&str; 3] = ["PATIENTS", "BPS_PATIENTS", "INTERNALID"];

/// Whether the statement names a table or column of patients.
pub(super) fn reads_patients(tokens: &[TokenWithSpan]) -> bool {
    words(tokens).any(|(word, _)| PATIENT_WORDS.iter().any(|name| is(word, name)))
}

/// Reports every word that writes or runs something; tells whether there was one.
pub(super) fn refused(tokens: &[TokenWithSpan], report: &mut Report<'_>) -> bool {
    let words: Vec<(&Word, Place)> = words(tokens).collect();
    let mut refused = false;
    for (number, (word, at)) in words.iter().enumerate() {
        let next = words.get(number + 1);
        let sequence = is(word, "NEXT") && next.is_some_and(|(next, _)| is(next, "VALUE"));
        if sequence || is_refused(word) {
            refused = true;
            report.at_place(
                *at,
                format!(
                    "`{}` has no place in a statement that only reads",
                    word.value
                ),
                "write one SELECT, with WITH for what it builds on",
            );
        }
    }
    refused
}

fn is_refused(word: &Word) -> bool {
    word.quote_style.is_none() && REFUSED.split_ascii_whitespace().any(|name| is(word, name))
}

/// Which parameters a statement has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Binds {
    /// Both ends of a window.
    Window,
    /// The day of a snapshot, if it likes.
    Date,
    /// None, though its query has a window.
    Nothing,
}

impl From<Mode> for Binds {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Incremental { .. } => Self::Window,
            Mode::Snapshot => Self::Date,
        }
    }
}

/// Only the parameters that it has, and both ends of a window.
pub(super) fn parameters(
    binds: Binds,
    tokens: &[TokenWithSpan],
    at: usize,
    report: &mut Report<'_>,
) {
    let (of, known, instead): (_, &[&str], _) = match binds {
        Binds::Window => (
            "an incremental query",
            &WINDOW,
            "use `@window_start` and `@window_end`",
        ),
        Binds::Date => ("a snapshot", &DATE, "use `@snapshot_date`"),
        Binds::Nothing => (
            "a variant that brings the whole",
            &[],
            "take every row that stands, or write `brings = \"changes\"`",
        ),
    };
    let used: Vec<(&str, Place)> = words(tokens)
        .filter(|(word, _)| word.quote_style.is_none() && word.value.starts_with('@'))
        .map(|(word, at)| (word.value.as_str(), at))
        .collect();
    for (name, at) in used.iter().filter(|(name, _)| !known.contains(name)) {
        report.at_place(*at, format!("`{name}` is not a parameter of {of}"), instead);
    }
    let unused = |name: &&str| !used.iter().any(|(word, _)| word == name);
    for name in WINDOW
        .iter()
        .filter(|_| binds == Binds::Window)
        .filter(|name| unused(name))
    {
        report.at(
            at,
            format!("the query is incremental but its statement does not use `{name}`"),
            "compare the watermark: `>= @window_start AND ... < @window_end`",
        );
    }
}

fn words(tokens: &[TokenWithSpan]) -> impl Iterator<Item = (&Word, Place)> {
    tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some((word, place(token.span.start))),
        _ => None,
    })
}

fn is(word: &Word, name: &str) -> bool {
    word.value.eq_ignore_ascii_case(name)
}
