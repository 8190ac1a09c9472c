//! The rows of one page: quickly where they are written as predicted, else key by key.
//!
//! The quick route alternates between stripping a predicted token and reading a value. Whatever it does not
//! recognise, it hands over where it stands: values already read stay read, the rest of the row is scanned
//! strictly, in any order and with any white space.

use super::column::Column;
use super::error::Reason;
use super::findings::{Findings, Subject};
use super::json::{self, Malformed, malformed, skip_blanks, skip_mark};
use super::tokens::Layout;

/// Reads rows into columns.
pub(super) struct PageReader<'p> {
    page: &'p [u8],
    names: &'p [(String, String)],
    columns: &'p mut [Column],
    layout: &'p mut Layout,
    /// Rows that the columns held before this page.
    rows_before: u32,
    rows: u32,
    slow_rows: u64,
    findings: Findings,
    scratch: Scratch,
}

/// What the slow route notes about a row, kept to be used again.
#[derive(Debug, Default)]
struct Scratch {
    /// Which columns of the row have been read.
    filled: Vec<bool>,
    /// For each key of the row in order: its column, and the bytes before its value as bounds in the page.
    keys: Vec<(usize, usize, usize)>,
}

/// What a page held.
pub(super) struct PageRows {
    pub(super) rows: u32,
    pub(super) slow_rows: u64,
    pub(super) findings: Findings,
}

impl<'p> PageReader<'p> {
    /// `page` is UTF-8; `columns` hold `rows_before` rows each, and are named by `names`.
    pub(super) fn new(
        page: &'p [u8],
        names: &'p [(String, String)],
        columns: &'p mut [Column],
        layout: &'p mut Layout,
        rows_before: u32,
    ) -> Self {
        Self {
            page,
            names,
            columns,
            layout,
            rows_before,
            rows: 0,
            slow_rows: 0,
            findings: Findings::default(),
            scratch: Scratch::default(),
        }
    }

    /// Reads the whole page. Rows that break the contract are read as well, and noted.
    pub(super) fn read(mut self) -> Result<PageRows, Malformed> {
        let mut rest = skip_mark(self.page, b'[', "an array of rows")?;
        if let Some(after) = rest.strip_prefix(b"]") {
            self.end(after)?;
            return Ok(self.finish());
        }
        loop {
            let (after, filled) = self.read_predicted(rest)?;
            rest = after;
            if filled < self.columns.len() || has_further_key(rest) {
                match self.read_rest(rest, filled)? {
                    Some(after) => rest = after,
                    None => return Ok(self.finish()),
                }
            }
            self.rows += 1;
        }
    }

    fn finish(self) -> PageRows {
        PageRows {
            rows: self.rows,
            slow_rows: self.slow_rows,
            findings: self.findings,
        }
    }

    /// Reads as much of a row as is written as predicted: how many columns, and what follows.
    #[inline]
    fn read_predicted(&mut self, mut rest: &'p [u8]) -> Result<(&'p [u8], usize), Malformed> {
        let row = self.rows_before + self.rows;
        for (filled, step) in self.layout.steps.iter().enumerate() {
            let token = match (filled, self.rows) {
                (0, 0) => &self.layout.opening,
                _ => &step.token,
            };
            let Some(value) = token.strip(rest) else {
                return Ok((rest, filled));
            };
            let (after, misfit) = match self.columns[step.column].read(value, row) {
                Ok(read) => read,
                // White space before a value belongs to the token, which the slow route shall learn.
                Err(_) if starts_blank(value) => return Ok((rest, filled)),
                Err(problem) => return Err(problem),
            };
            if let Some(reason) = misfit {
                let subject = Subject::Column(step.column);
                self.findings.note(subject, reason, u64::from(self.rows));
            }
            rest = after;
        }
        Ok((rest, self.layout.steps.len()))
    }

    /// Reads what is left of a row of which `filled` columns are read, or finds that there is no further
    /// row.
    #[cold]
    fn read_rest(&mut self, rest: &'p [u8], filled: usize) -> Result<Option<&'p [u8]>, Malformed> {
        self.scratch.keys.clear();
        self.scratch.filled.clear();
        self.scratch.filled.resize(self.columns.len(), false);
        for step in &self.layout.steps[..filled] {
            self.scratch.filled[step.column] = true;
        }
        let inner = if filled > 0 {
            rest
        } else {
            match self.enter_row(rest)? {
                Some(inner) => inner,
                None => return Ok(None),
            }
        };
        self.slow_rows += 1;
        let after = self.read_keys(inner, filled == 0)?;
        if self.note_missing() {
            self.learn(rest, inner, filled);
        }
        Ok(Some(after))
    }

    /// Goes behind the brace that opens the next row, or behind the end of the array.
    fn enter_row(&mut self, rest: &'p [u8]) -> Result<Option<&'p [u8]>, Malformed> {
        let rest = if self.rows == 0 {
            rest
        } else {
            let rest = skip_mark(rest, b'}', "a comma or the end of the row")?;
            match rest {
                [b']', after @ ..] => return self.end(after).map(|()| None),
                _ => skip_mark(rest, b',', "a comma or the end of the rows")?,
            }
        };
        match rest {
            [b'{', inner @ ..] => Ok(Some(inner)),
            _ => Err(malformed("a row, which is an object", rest)),
        }
    }

    fn end(&self, rest: &[u8]) -> Result<(), Malformed> {
        match skip_blanks(rest) {
            [] => Ok(()),
            other => Err(malformed("nothing behind the rows", other)),
        }
    }

    /// Reads keys and values up to the end of the row, which is left standing.
    fn read_keys(&mut self, mut rest: &'p [u8], mut fresh: bool) -> Result<&'p [u8], Malformed> {
        loop {
            let before = rest;
            rest = match skip_blanks(rest) {
                [b'}', ..] => return Ok(before),
                [b',', after @ ..] if !fresh => skip_blanks(after),
                other if fresh => other,
                other => return Err(malformed("a comma or the end of the row", other)),
            };
            fresh = false;
            let (key, after) = json::text(rest)?;
            rest = skip_mark(after, b':', "a colon")?;
            let column = key
                .as_ref()
                .and_then(|key| self.names.iter().position(|(name, _)| name == key));
            rest = match column {
                Some(index) if !self.scratch.filled[index] => {
                    let bounds = (self.position(before), self.position(rest));
                    self.scratch.keys.push((index, bounds.0, bounds.1));
                    self.read_column(index, rest)?
                }
                Some(index) => self.skip_value(Subject::Column(index), Reason::Repeated, rest)?,
                None => {
                    let name = key.unwrap_or_default().into_owned();
                    self.skip_value(Subject::Extra(name), Reason::Extra, rest)?
                }
            };
        }
    }

    fn read_column(&mut self, index: usize, rest: &'p [u8]) -> Result<&'p [u8], Malformed> {
        self.scratch.filled[index] = true;
        let row = self.rows_before + self.rows;
        let (after, misfit) = self.columns[index].read(rest, row)?;
        if let Some(reason) = misfit {
            self.findings
                .note(Subject::Column(index), reason, u64::from(self.rows));
        }
        Ok(after)
    }

    fn skip_value(
        &mut self,
        subject: Subject,
        reason: Reason,
        rest: &'p [u8],
    ) -> Result<&'p [u8], Malformed> {
        let (_, after) = json::value(rest)?;
        self.findings.note(subject, reason, u64::from(self.rows));
        Ok(after)
    }

    /// Notes the columns that the row lacks; whether there is none.
    fn note_missing(&mut self) -> bool {
        let mut complete = true;
        for (index, filled) in self.scratch.filled.iter().enumerate() {
            if !filled {
                complete = false;
                self.columns[index].push_missing();
                self.findings.note(
                    Subject::Column(index),
                    Reason::Missing,
                    u64::from(self.rows),
                );
            }
        }
        complete
    }

    /// Predicts that the next row will be written as this one, of which the first `filled` columns were
    /// as predicted before: every column once, and nothing else between them.
    ///
    /// `before` is the page from the end of the row before, `inner` from behind the opening brace.
    fn learn(&mut self, before: &[u8], inner: &[u8], filled: usize) {
        if !self.findings.is_empty() || filled + self.scratch.keys.len() != self.columns.len() {
            return;
        }
        let (before, brace) = (self.position(before), self.position(inner) - 1);
        let steps = &mut self.layout.steps;
        for (place, (column, from, to)) in (filled..).zip(self.scratch.keys.drain(..)) {
            steps[place].column = column;
            if place > 0 {
                steps[place].token.set(&self.page[from..to]);
                continue;
            }
            // Both ways into a row lead to the same column, so both change together.
            let opening = &self.page[brace..to];
            self.layout.opening.set(opening);
            if self.rows > 0 {
                steps[place].token.set(&self.page[before..to]);
            } else {
                steps[place].token.set(&[b"},", opening].concat());
            }
        }
    }

    fn position(&self, rest: &[u8]) -> usize {
        self.page.len() - rest.len()
    }
}

/// Whether a row of which all columns are read goes on with a key that the contract does not know.
fn has_further_key(rest: &[u8]) -> bool {
    rest.first() != Some(&b'}') && skip_blanks(rest).first() == Some(&b',')
}

fn starts_blank(rest: &[u8]) -> bool {
    skip_blanks(rest).len() < rest.len()
}
