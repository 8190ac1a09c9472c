//! The text of one query file: where its header and its statement are, and which line a byte is on.

use std::ops::Range;
use std::path::Path;

use super::problem::Problem;

pub(super) const OPENING: &str = "/*---";
const CLOSING: &str = "---*/";

/// A line and column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// One query file, cut into header and statement. Offsets are bytes of the file's text.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    text: &'a str,
    header: Range<usize>,
}

impl<'a> Source<'a> {
    /// Finds the header. A byte order mark, blank lines and `--` comments may come before it.
    pub(super) fn cut(file: &'a Path, text: &'a str) -> Result<Self, Problem> {
        let opening = first_content(text);
        let found = |at: usize, what: &str, instead: &str| {
            Err(Problem::at(file, place_in(text, at), what, instead))
        };
        if !text[opening..].starts_with(OPENING) {
            return found(
                opening,
                "the file does not begin with a header",
                "write `/*---`, the header's TOML and `---*/` before the statement",
            );
        }
        let start = opening + OPENING.len();
        let Some(length) = text[start..].find(CLOSING) else {
            return found(
                opening,
                "the header does not end",
                "write `---*/` on a line of its own after the last column",
            );
        };
        let header = start..start + length;
        if let Some(inner) = inner_comment(&text[header.clone()]) {
            return found(
                start + inner,
                "the header holds a comment mark, so that SQL Server would read it in another way",
                "take `/*` and `*/` out of the header",
            );
        }
        Ok(Self { file, text, header })
    }

    /// The TOML between the marks.
    pub(super) fn header(&self) -> &'a str {
        &self.text[self.header.clone()]
    }

    /// Offset of the header's first byte.
    pub(super) fn header_start(&self) -> usize {
        self.header.start
    }

    /// The statement as it is sent: what follows the header, without the blanks around it.
    pub(super) fn statement(&self) -> &'a str {
        self.text[self.statement_start()..].trim()
    }

    /// The statement with all before it blanked, so that places in it are places in the file.
    pub(super) fn statement_in_place(&self) -> String {
        let blank = |c| if c == '\n' { '\n' } else { ' ' };
        let (before, statement) = self.text.split_at(self.statement_start());
        before.chars().map(blank).chain(statement.chars()).collect()
    }

    pub(super) fn place(&self, at: usize) -> Place {
        place_in(self.text, at)
    }

    fn statement_start(&self) -> usize {
        self.header.end + CLOSING.len()
    }
}

/// Offset of the first byte that is neither blank nor within a `--` comment.
fn first_content(text: &str) -> usize {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while rest.starts_with("--") {
        rest = rest.find('\n').map_or("", |end| rest[end..].trim_start());
    }
    text.len() - rest.len()
}

fn inner_comment(header: &str) -> Option<usize> {
    [header.find("/*"), header.find("*/")]
        .into_iter()
        .flatten()
        .min()
}

fn place_in(text: &str, at: usize) -> Place {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
