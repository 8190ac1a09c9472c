//! What is wrong with the rows of a page, gathered so that all of it is reported at once.

use super::error::{Reason, Violation};

/// More combinations of column and reason than this are counted, not listed: a result whose every row has
/// other keys must not fill the memory or the screen.
const MOST_LISTED: usize = 100;

/// Characters of an extra column's name that are shown.
const LONGEST_NAME: usize = 64;

/// Violations of one page so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    unlisted: u64,
}

#[derive(Debug)]
struct Finding {
    subject: Subject,
    reason: Reason,
    /// Row within the page, from 0.
    first_row: u64,
    last_row: u64,
    rows: u64,
}

/// A column of the contract by its place, or an extra one by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Column(usize),
    Extra(String),
}

impl Findings {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Notes that `subject` breaks the contract in `row` of the page, counted from 0.
    #[cold]
    pub(super) fn note(&mut self, subject: Subject, reason: Reason, row: u64) {
        let full = self.listed.len() >= MOST_LISTED;
        let known = self
            .listed
            .iter_mut()
            .find(|finding| finding.reason == reason && finding.subject == subject);
        match known {
            Some(finding) if finding.last_row == row => {}
            Some(finding) => {
                finding.last_row = row;
                finding.rows += 1;
            }
            None if !full => self.listed.push(Finding {
                subject,
                reason,
                first_row: row,
                last_row: row,
                rows: 1,
            }),
            None => self.unlisted += 1,
        }
    }

    /// The violations for people: `columns` are the names and declared types of the contract, and
    /// `rows_before` the rows of the result before this page.
    pub(super) fn into_violations(
        self,
        columns: &[(String, String)],
        rows_before: u64,
    ) -> (Vec<Violation>, u64) {
        let violations = self.listed.into_iter().map(|finding| {
            let (column, declared) = match finding.subject {
                Subject::Column(index) => columns[index].clone(),
                Subject::Extra(name) => (shown(&name), String::new()),
            };
            Violation {
                column,
                declared,
                reason: finding.reason,
                row_in_page: finding.first_row + 1,
                row: rows_before + finding.first_row + 1,
                rows: finding.rows,
            }
        });
        (violations.collect(), self.unlisted)
    }
}

/// The name with control characters escaped, and cut where it stops being a name.
fn shown(name: &str) -> String {
    let mut shown: String = name
        .chars()
        .take(LONGEST_NAME)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    shown
}
