//! Reading the folder: files in, checked queries or all their problems out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::files::{self, QueryFile};
use super::fingerprint::Meaning;
use super::header::{self, Header};
use super::lint;
use super::problem::{CatalogError, Problem, Report};
use super::source::Source;
use super::statement::{self, Wanted};
use super::variant;
use crate::domain::{Contract, Query, QueryId, QueryName, Variant};

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

pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
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
    let wanted = header.as_ref().map(|header| Wanted {
        at: header.at,
        binds: header.mode.map(Into::into),
        columns: &header.columns,
    });
    let facts = statement::check(&source, wanted, &mut report);
    if let Some(header) = &header {
        lint::check(header, facts, &mut report);
        if let Some(withheld) = &header.withheld {
            statement::check_withheld(withheld, header.mode.map(Into::into), &mut report);
        }
    }
    let Some(header) = header.filter(|_| report.is_empty()) else {
        return Err(report.into_problems());
    };
    let columns = header.columns.iter().map(|draft| draft.column.clone());
    let contract = Contract {
        columns: columns.collect::<Option<_>>().expect(COMPLETE),
    };
    let variants = variants(file, &header, &contract, report)?;
    Ok(query(file, header, contract, variants, source.statement()).expect(COMPLETE))
}

const COMPLETE: &str = "a header without a problem has every key that is needed";

/// The variants that a header names, each read from its file and checked.
fn variants(
    file: &QueryFile,
    header: &Header,
    contract: &Contract,
    mut report: Report<'_>,
) -> Result<Vec<Variant>, Vec<Problem>> {
    let mut variants: Vec<Variant> = Vec::new();
    let mut problems = Vec::new();
    let mode = header.mode.expect(COMPLETE);
    for name in &header.variants {
        if variants
            .iter()
            .any(|known| known.name.as_str() == name.value)
        {
            let what = format!("the variant `{}` is named twice", name.value);
            report.at(name.at, what, "name each once");
        } else if let Some(found) = variant::find(file, name, &mut report) {
            match variant::read(&found, mode, contract) {
                Ok(variant) => variants.push(variant),
                Err(more) => problems.extend(more),
            }
        }
    }
    problems.splice(0..0, report.into_problems());
    match problems.is_empty() {
        true => Ok(variants),
        false => Err(problems),
    }
}

/// The query of a header; `None` if a needed key could not be read.
fn query(
    file: &QueryFile,
    header: Header,
    contract: Contract,
    variants: Vec<Variant>,
    statement: &str,
) -> Option<Query> {
    let key: Vec<String> = header.key.into_iter().map(|column| column.value).collect();
    let meaning = Meaning {
        pms: header.pms?,
        catalogue: header.catalogue.as_deref(),
        mode: header.mode?,
        key: &key,
        contract: &contract,
        statement,
        variants: &variants,
    };
    Some(Query {
        id: file.id.clone(),
        file: file.path.clone(),
        fingerprint: meaning.fingerprint(),
        pms: meaning.pms,
        mode: meaning.mode,
        purpose: header.purpose?,
        owner: header.owner?,
        catalogue: header.catalogue,
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
        variants,
    })
}
