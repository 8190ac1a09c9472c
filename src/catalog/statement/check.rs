//! All checks of a statement, in an order that tells each mistake once.

use super::super::header::DraftColumn;
use super::super::problem::Report;
use super::super::source::Source;
use super::syntax::{self, SyntaxError};
use super::words::Binds;
use super::{foreign, select_list, words};

/// What the privacy rules need to know of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::catalog) struct Facts {
    /// Whether it names a table or column of patients.
    pub(in crate::catalog) reads_patients: bool,
}

/// What a header says that its statement must keep to.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) struct Wanted<'a> {
    /// Byte of the file to which what is absent is pinned.
    pub(in crate::catalog) at: usize,
    /// Its parameters, if the header tells.
    pub(in crate::catalog) binds: Option<Binds>,
    /// Its columns, in order.
    pub(in crate::catalog) columns: &'a [DraftColumn],
}

/// Checks the statement against the header, as far as that could be read.
pub(in crate::catalog) fn check(
    source: &Source<'_>,
    wanted: Option<Wanted<'_>>,
    report: &mut Report<'_>,
) -> Facts {
    let tokens = match syntax::tokens(&source.statement_in_place()) {
        Ok(tokens) => tokens,
        Err(error) => {
            tell(error, report);
            return Facts::default();
        }
    };
    let facts = Facts {
        reads_patients: words::reads_patients(&tokens),
    };
    if let Some((at, binds)) = wanted.and_then(|wanted| Some((wanted.at, wanted.binds?))) {
        words::parameters(binds, &tokens, at, report);
    }
    // What is refused anyway need not parse as well.
    let refused = words::refused(&tokens, report);
    if foreign::batch_separators(&tokens, report) || refused {
        return facts;
    }
    let start = syntax::first_place(&tokens);
    match syntax::parse(tokens) {
        Ok(query) => {
            foreign::limits(&query, start, report);
            let columns = wanted.map(|wanted| wanted.columns);
            select_list::check(&query, start, columns, report);
        }
        Err(error) => tell(error, report),
    }
    facts
}

fn tell(error: SyntaxError, report: &mut Report<'_>) {
    report.at_place(error.at, error.what, error.instead);
}
