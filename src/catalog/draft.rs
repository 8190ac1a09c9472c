//! A query file that is being written: it may still lack its contract, or even its header.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::files::QueryFile;
use super::problem::{CatalogError, Problem};
use super::read;
use super::source::{OPENING, Source};
use crate::domain::{Contract, QueryId};

/// The line of a header at which the contract begins; nothing comes after the contract.
const COLUMNS: &str = "[columns]";

/// A query file that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    path: PathBuf,
    text: String,
    /// The TOML between the marks, in bytes of the text.
    header: Option<Range<usize>>,
    statement: String,
    contract: Option<Contract>,
}

impl Draft {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or its header begins and does not end.
    pub fn read(path: &Path) -> Result<Self, CatalogError> {
        let told = |problem: Problem| CatalogError {
            problems: vec![problem],
        };
        let text = fs::read_to_string(path).map_err(|error| {
            told(Problem::of_file(
                path,
                format!("the file cannot be read: {error}"),
                "give the path of a UTF-8 text that this user may read",
            ))
        })?;
        let (header, statement) = if text.contains(OPENING) {
            let source = Source::cut(path, &text).map_err(told)?;
            let start = source.header_start();
            let header = start..start + source.header().len();
            (Some(header), source.statement().to_owned())
        } else {
            (None, text.trim().to_owned())
        };
        let mut draft = Self {
            path: path.to_owned(),
            text,
            header,
            statement,
            contract: None,
        };
        draft.contract = draft.checked_contract();
        Ok(draft)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The statement, without the header.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// The contract, if the file is a valid query already.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// The database that the header names.
    #[must_use]
    pub fn catalogue(&self) -> Option<String> {
        let header: toml::Table = self.text[self.header.clone()?].parse().ok()?;
        Some(header.get("catalogue")?.as_str()?.to_owned())
    }

    /// Which query the path says that this is: `<name>/v<N>.sql`.
    #[must_use]
    pub fn id(&self) -> Option<QueryId> {
        let version = self.path.file_stem()?.to_str()?.parse().ok()?;
        let name = self.path.parent()?.file_name()?.to_str()?.parse().ok()?;
        Some(QueryId { name, version })
    }

    /// The file's text with this `[columns]` block in place of its own; `None` without a header.
    #[must_use]
    pub fn with_columns(&self, block: &str) -> Option<String> {
        let Range { start, end } = self.header.clone()?;
        let header = &self.text[start..end];
        let mut at = 0;
        let begins = header.split_inclusive('\n').find_map(|line| {
            let here = at;
            at += line.len();
            (line.trim() == COLUMNS).then_some(here)
        });
        let kept = match begins {
            Some(begins) => header[..begins].to_owned(),
            None => format!("{}\n\n", header.trim_end()),
        };
        Some(format!(
            "{}{kept}{block}{}",
            &self.text[..start],
            &self.text[end..]
        ))
    }

    fn checked_contract(&self) -> Option<Contract> {
        let anybody = || "draft@v1".parse().expect("a query id");
        let file = QueryFile {
            id: self.id().unwrap_or_else(anybody),
            path: self.path.clone(),
        };
        let query = read::check(&file, &self.text).ok()?;
        Some(query.contract)
    }
}
