//! Which files of the folder are queries.
//!
//! A query is `<name>/v<N>.sql`. Other files may lie beside them, but one that looks like a query
//! under a wrong name is a problem, not a file to pass over: it would silently never run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use crate::domain::{QueryId, QueryName, QueryVersion};

/// A query's file and what its path calls it.
pub(super) struct QueryFile {
    pub(super) id: QueryId,
    pub(super) path: PathBuf,
}

/// All query files below `dir`, sorted by name and version, and the problems of names and folders.
pub(super) fn find(dir: &Path) -> (Vec<QueryFile>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for path in entries(dir, &mut problems) {
        if path.is_dir() {
            found.extend(in_folder(&path, &mut problems));
        } else if is_statement(&path) {
            problems.push(Problem::of_file(
                &path,
                "a query file does not lie in a folder of its name",
                format!("move it to `{}/v1.sql`", stem(&path).to_ascii_lowercase()),
            ));
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    (found, problems)
}

fn in_folder(folder: &Path, problems: &mut Vec<Problem>) -> Vec<QueryFile> {
    let statements: Vec<PathBuf> = entries(folder, problems)
        .into_iter()
        .filter(|path| !path.is_dir() && is_statement(path))
        .collect();
    if statements.is_empty() {
        return Vec::new();
    }
    let name: QueryName = match file_name(folder).parse() {
        Ok(name) => name,
        Err(_) => {
            problems.push(Problem::of_file(
                folder,
                "the folder holds queries but its name is not a query name",
                "use a lower-case letter, then lower-case letters, digits or `_`",
            ));
            return Vec::new();
        }
    };
    statements
        .into_iter()
        .filter_map(|path| query_file(&name, path, problems))
        .collect()
}

fn query_file(name: &QueryName, path: PathBuf, problems: &mut Vec<Problem>) -> Option<QueryFile> {
    let version = file_name(&path)
        .strip_suffix(".sql")
        .and_then(|stem| stem.parse::<QueryVersion>().ok());
    match version {
        Some(version) => Some(QueryFile {
            id: QueryId {
                name: name.clone(),
                version,
            },
            path,
        }),
        None => {
            problems.push(Problem::of_file(
                &path,
                "the file's name is not a version",
                format!("rename it to `{}`", likely_name(&path)),
            ));
            None
        }
    }
}

/// `V01.SQL` most likely means `v1.sql`.
fn likely_name(path: &Path) -> String {
    let stem = stem(path);
    let digits = stem.trim_start_matches(|c: char| !c.is_ascii_digit());
    match digits.parse().ok().and_then(QueryVersion::new) {
        Some(version) => format!("{version}.sql"),
        None => "v1.sql".to_owned(),
    }
}

/// Whether a file holds a statement for us: `.sql` in any case. Another dot before it, as in
/// `x.duckdb.sql`, says that the statement is for somebody else.
fn is_statement(path: &Path) -> bool {
    let is_sql = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
    is_sql && !stem(path).contains('.')
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Sorted paths in a folder, hidden ones left out.
fn entries(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = listed.unwrap_or_else(|error: io::Error| {
        problems.push(Problem::of_file(
            folder,
            format!("the folder cannot be read: {error}"),
            "name the folder of queries with --queries and let this user read it",
        ));
        Vec::new()
    });
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort();
    paths
}
