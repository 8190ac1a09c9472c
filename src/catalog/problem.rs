//! What is wrong with a query file, and what to write instead.

use std::fmt;
use std::path::{Path, PathBuf};

use super::source::{Place, Source};

/// One mistake in the folder of queries.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file or folder, as a path that begins with the folder that was read.
    pub file: PathBuf,
    /// Line of the file, from 1; absent if the name of the file or folder is at fault.
    pub line: Option<usize>,
    /// Column of the line in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

/// The folder of queries has mistakes, all of which are listed; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CatalogError {
    /// In the order of files and lines.
    pub problems: Vec<Problem>,
}

/// Gathers the problems of one file while it is read, so that all are told at once.
pub(super) struct Report<'a> {
    source: &'a Source<'a>,
    problems: Vec<Problem>,
}

impl Problem {
    /// A problem of a file or folder as a whole.
    pub(super) fn of_file(
        file: &Path,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            what: what.into(),
            instead: instead.into(),
        }
    }

    pub(super) fn at(
        file: &Path,
        place: Place,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            line: Some(place.line),
            column: Some(place.column),
            ..Self::of_file(file, what, instead)
        }
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(source: &'a Source<'a>) -> Self {
        Self {
            source,
            problems: Vec::new(),
        }
    }

    /// A problem at a byte of the file.
    pub(super) fn at(&mut self, at: usize, what: impl Into<String>, instead: impl Into<String>) {
        self.at_place(self.source.place(at), what, instead);
    }

    /// A problem at a line and column of the file.
    pub(super) fn at_place(
        &mut self,
        place: Place,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.problems
            .push(Problem::at(self.source.file, place, what, instead));
    }

    /// A report of a text that stands in the file as one value; see [`adopt`](Self::adopt).
    pub(super) fn within(&self) -> Self {
        Self::of(self.source)
    }

    /// Takes over what is wrong with the value of `key` at byte `at`: places within it are not the file's.
    pub(super) fn adopt(&mut self, within: Self, key: &str, at: usize) {
        for problem in within.problems {
            self.at(at, format!("`{key}`: {}", problem.what), problem.instead);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.what, self.instead)
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "the query files have {count} {noun}")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
