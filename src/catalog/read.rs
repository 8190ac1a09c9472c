//! Reading the folder: files in, checked queries or all their problems out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::files::{self, QueryFile};
use super::fingerprint::fingerprint;
use super::header::{self, Header};
use super::lint;
use super::problem::{CatalogError, Problem, Report};
use super::source::Source;
use super::statement;
use crate::domain::{Contract, Query, QueryId, QueryName};

/// Every query of a folder, in all versions, each checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    queries: BTreeMap<QueryId, Query>,
}

impl Catalog {
    /// Reads every `<name>/v<N>.sql` of `dir`.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read or breaks a rule; all problems are told at once.
    pub fn read(dir: &Path) -> Result<Self, CatalogError> {
        let (found, mut problems) = files::find(dir);
        let mut queries = BTreeMap::new();
        for file in &found {
            match read_file(file) {
                Ok(query) => {
                    queries.insert(query.id.clone(), query);
                }
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() {
            Ok(Self { queries })
        } else {
            problems.sort_by(|a, b| a.file.cmp(&b.file));
            Err(CatalogError { problems })
        }
    }

    /// All versions of all queries, by name and version.
    pub fn queries(&self) -> impl Iterator<Item = &Query> {
        self.queries.values()
    }

    /// The highest version of each query, by name.
    pub fn current_queries(&self) -> impl Iterator<Item = &Query> {
        self.queries().filter(|query| {
            self.current(&query.id.name)
                .is_some_and(|current| current.id == query.id)
        })
    }

    /// The versions of one query, oldest first.
    pub fn versions(&self, name: &QueryName) -> impl Iterator<Item = &Query> {
        self.queries().filter(move |query| query.id.name == *name)
    }

    /// The highest version of a query.
    #[must_use]
    pub fn current(&self, name: &QueryName) -> Option<&Query> {
        self.versions(name).last()
    }

    /// One version of a query.
    #[must_use]
    pub fn get(&self, id: &QueryId) -> Option<&Query> {
        self.queries.get(id)
    }
}

fn read_file(file: &QueryFile) -> Result<Query, Vec<Problem>> {
    let text = read_text(&file.path).map_err(|problem| vec![problem])?;
    check(file, &text)
}

fn read_text(path: &Path) -> Result<String, Problem> {
    let bytes = fs::read(path).map_err(|error| {
        Problem::of_file(
            path,
            format!("the file cannot be read: {error}"),
            "let this user read it",
        )
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Problem::of_file(
            path,
            "the file is not UTF-8",
            "save it with encoding UTF-8 (Management Studio: Save As, Save with Encoding)",
        )
    })
}

/// Everything that is wrong with the text of one file, or the query that it is.
pub(super) fn check(file: &QueryFile, text: &str) -> Result<Query, Vec<Problem>> {
    let source = Source::cut(&file.path, text).map_err(|problem| vec![problem])?;
    let mut report = Report::of(&source);
    let header = header::read(&source, &mut report);
    let facts = statement::check(&source, header.as_ref(), &mut report);
    if let Some(header) = &header {
        lint::check(header, facts, &mut report);
        if let Some(withheld) = &header.withheld {
            statement::check_withheld(withheld, header.mode, &mut report);
        }
    }
    match header {
        Some(header) if report.is_empty() => Ok(query(file, header, source.statement())
            .expect("a header without a problem has every key that is needed")),
        _ => Err(report.into_problems()),
    }
}

/// The query of a header; `None` if a needed key could not be read.
fn query(file: &QueryFile, header: Header, statement: &str) -> Option<Query> {
    let columns = header.columns.into_iter().map(|draft| draft.column);
    let contract = Contract {
        columns: columns.collect::<Option<_>>()?,
    };
    let key: Vec<String> = header.key.into_iter().map(|column| column.value).collect();
    let (pms, mode) = (header.pms?, header.mode?);
    let catalogue = header.catalogue;
    let fingerprint = fingerprint(pms, catalogue.as_deref(), mode, &key, &contract, statement);
    Some(Query {
        id: file.id.clone(),
        file: file.path.clone(),
        purpose: header.purpose?,
        owner: header.owner?,
        pms,
        catalogue,
        mode,
        watermark: header.watermark,
        key,
        cron: header.cron,
        measures: header.measures,
        opt_out: header.opt_out,
        withheld: header.withheld.map(|sql| sql.value),
        cost: header.cost,
        freshness: header.freshness,
        contract,
        sql: statement.to_owned(),
        fingerprint,
    })
}
