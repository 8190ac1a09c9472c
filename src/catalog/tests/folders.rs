//! Reading a folder: which files are queries, and how one is selected.

use std::fs;
use std::path::Path;

use super::{GOOD, with};
use crate::catalog::{Catalog, CatalogError};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

pub(super) fn read(files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
    Catalog::read(folder(files).path())
}

#[test]
fn the_highest_version_is_current_and_all_can_be_selected() {
    let catalog = read(&[
        ("visit/v1.sql", GOOD),
        ("observation/v10.sql", GOOD),
        ("observation/v9.sql", GOOD),
        ("observation/notes.txt", "not SQL"),
        ("observation/v9.duckdb.sql", "not ours"),
        ("measures/pip-qi.duckdb.sql", "not ours"),
        ("README.md", "not SQL"),
        (".git/v1.sql", "hidden"),
    ])
    .expect("a catalog");

    let ids: Vec<String> = catalog
        .queries()
        .map(|query| query.id.to_string())
        .collect();
    assert_eq!(ids, ["observation@v9", "observation@v10", "visit@v1"]);
    let selected = |text| catalog.select(text).map(|query| query.id.to_string());
    assert_eq!(selected("observation"), Ok("observation@v10".to_owned()));
    assert_eq!(selected("observation@v9"), Ok("observation@v9".to_owned()));
    let told = |text| {
        selected(text)
            .expect_err("nothing of that name")
            .to_string()
    };
    assert_eq!(
        told("observatoin"),
        "no query is named `observatoin`; write `observation`"
    );
    assert_eq!(
        told("xyz"),
        "no query is named `xyz`; `query list` shows all names"
    );
    assert_eq!(
        told("observation@v1"),
        "there is no `observation@v1`; write one of observation@v9, observation@v10"
    );
    assert_eq!(
        told("visits@v1"),
        "no query is named `visits`; write `visit`"
    );
    assert!(told("Visit").starts_with("`Visit` is not a query name"));
}

#[test]
fn a_query_file_under_a_wrong_name_is_told() {
    let dir = folder(&[
        ("visit/V1.sql", GOOD),
        ("visit/v02.sql", GOOD),
        ("visit/3.SQL", GOOD),
        ("visit/final.sql", GOOD),
        ("Observation/v1.sql", GOOD),
        ("condition.sql", GOOD),
    ]);
    let error = Catalog::read(dir.path()).expect_err("six problems");

    let prefix = format!("{}/", dir.path().display());
    let told: Vec<String> = error
        .problems
        .iter()
        .map(|problem| problem.to_string().replacen(&prefix, "", 1))
        .collect();
    assert_eq!(
        told,
        [
            "Observation: the folder holds queries but its name is not a query name; \
             use a lower-case letter, then lower-case letters, digits or `_`",
            "condition.sql: a query file does not lie in a folder of its name; move it to `condition/v1.sql`",
            "visit/3.SQL: the file's name is not a version; rename it to `v3.sql`",
            "visit/V1.sql: the file's name is not a version; rename it to `v1.sql`",
            "visit/final.sql: the file's name is not a version; rename it to `v1.sql`",
            "visit/v02.sql: the file's name is not a version; rename it to `v2.sql`",
        ]
    );
}

#[test]
fn the_problems_of_all_files_are_told_at_once() {
    let error = read(&[
        ("a/v1.sql", &with("\"quasi\"", "\"x\"")),
        ("b/v1.sql", &with("o.VALUE AS value", "o.*")),
        ("c/v1.sql", GOOD),
    ])
    .expect_err("two problems");

    assert_eq!(error.problems.len(), 2);
    let text = error.to_string();
    assert!(
        text.starts_with("the query files have 2 problems\n  "),
        "{text}"
    );
}

#[test]
fn a_folder_or_file_that_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let error = Catalog::read(&dir.path().join("nowhere")).expect_err("no folder");
    assert!(
        error
            .to_string()
            .contains("nowhere: the folder cannot be read: "),
        "{error}"
    );

    fs::create_dir(dir.path().join("visit")).expect("a folder");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(
        dir.path().join("visit/v1.sql"),
        [&[0xFF, 0xFE], &utf16[..]].concat(),
    )
    .expect("a file");
    let error = Catalog::read(dir.path()).expect_err("not UTF-8");
    assert!(
        error
            .to_string()
            .contains("visit/v1.sql: the file is not UTF-8; save it"),
        "{error}"
    );
}

#[test]
fn the_queries_of_the_test_data_have_no_problems() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (set, queries) in [("synthea-nj", 15), ("cdisc-pilot-01", 12)] {
        let catalog = Catalog::read(&data.join(set).join("queries")).expect("no problems");
        assert_eq!(catalog.queries().count(), queries, "{set}");
    }
}

#[test]
fn the_queries_that_are_delivered_have_no_problems() {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let catalog = Catalog::read(&queries).expect("no problems");
    assert!(catalog.queries().count() >= 5);
}
