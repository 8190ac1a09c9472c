//! A variant's file: another statement for the columns and rules of its query.
//!
//! `v1.view.sql` beside `v1.sql`, named by `variants = ["view"]` in the header of the latter. It keeps to the
//! contract and the privacy rules of its query, so that readers and rules need not know which statement ran.

use std::path::PathBuf;

use super::files::QueryFile;
use super::header::{DraftColumn, Located, VariantHeader, read_variant};
use super::lint;
use super::problem::{Problem, Report};
use super::read::read_text;
use super::source::Source;
use super::statement::{self, Binds, Wanted};
use crate::domain::{Brings, Contract, Mode, ParseError, Variant, VariantName};

/// A variant's name and file.
pub(super) struct Found {
    name: VariantName,
    file: PathBuf,
}

/// The file of the variant that a header names; what is wrong with the name is reported there.
pub(super) fn find(
    query: &QueryFile,
    name: &Located<String>,
    report: &mut Report<'_>,
) -> Option<Found> {
    let parsed: Result<VariantName, ParseError> = name.value.parse();
    let Ok(parsed) = parsed else {
        report.at(
            name.at,
            format!("`{}` is not a variant's name", name.value),
            "use a lower-case letter, then lower-case letters, digits or `_`",
        );
        return None;
    };
    let file_name = format!("{}.{parsed}.sql", query.id.version);
    let file = query.path.with_file_name(&file_name);
    if !file.is_file() {
        report.at(
            name.at,
            format!("the variant `{parsed}` has no file"),
            format!("write it as `{file_name}` beside this file"),
        );
        return None;
    }
    Some(Found { name: parsed, file })
}

/// Reads and checks a variant's file.
pub(super) fn read(
    found: &Found,
    mode: Mode,
    contract: &Contract,
) -> Result<Variant, Vec<Problem>> {
    let text = read_text(&found.file).map_err(|problem| vec![problem])?;
    let source = Source::cut(&found.file, &text).map_err(|problem| vec![problem])?;
    let mut report = Report::of(&source);
    let header = read_variant(&source, &mut report);
    check(&source, header.as_ref(), mode, contract, &mut report);
    match header {
        Some(header) if report.is_empty() => Ok(variant(found, header, source.statement())
            .expect("a header without a problem has every key that is needed")),
        _ => Err(report.into_problems()),
    }
}

fn check(
    source: &Source<'_>,
    header: Option<&VariantHeader>,
    mode: Mode,
    contract: &Contract,
    report: &mut Report<'_>,
) {
    let at = header.map_or_else(|| source.header_start(), |header| header.at);
    let brings = header.and_then(|header| header.brings.clone());
    if mode == Mode::Snapshot && brings == Some(Brings::Changes) {
        report.at(
            at,
            "a variant of a snapshot cannot bring changes",
            "write `brings = \"whole\"`",
        );
    }
    let columns: Vec<DraftColumn> = contract
        .columns
        .iter()
        .map(|column| DraftColumn {
            name: column.name.clone(),
            at,
            column: Some(column.clone()),
        })
        .collect();
    let wanted = Wanted {
        at,
        binds: brings.map(|brings| binds(mode, &brings)),
        columns: &columns,
    };
    let facts = statement::check(source, Some(wanted), report);
    let said = header.is_none_or(|header| header.opt_out.is_some());
    lint::opt_out(said, at, &columns, facts, report);
}

fn binds(mode: Mode, brings: &Brings) -> Binds {
    match (mode, brings) {
        (Mode::Incremental { .. }, Brings::Whole) => Binds::Nothing,
        _ => mode.into(),
    }
}

fn variant(found: &Found, header: VariantHeader, statement: &str) -> Option<Variant> {
    Some(Variant {
        name: found.name.clone(),
        file: found.file.clone(),
        why: header.why?,
        brings: header.brings?,
        opt_out: header.opt_out,
        cost: header.cost,
        sql: statement.to_owned(),
    })
}
