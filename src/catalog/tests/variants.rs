//! Variants: another statement in a file of its own, held to the contract and rules of its query.

use super::folders::read;
use super::{GOOD, with};
use crate::catalog::diff::diff;
use crate::domain::{Brings, Query};

const VIEW: &str = r#"/*---
why     = "Where OBSERVATIONS cannot be read."
brings  = "whole"
opt_out = "joins PATIENTS and takes those with no opt-out"
---*/
SELECT o.RecordID AS record_id, o.InternalID AS patient_id, o.ObsDate AS observed, o.Value AS value
FROM BPS_Observations o
ORDER BY o.RecordID
"#;

/// The good query with the variant `view`.
fn declared() -> String {
    with("freshness = \"36 hours\"", "variants  = [\"view\"]")
}

fn read_with(main: &str, view: &str) -> Result<Query, Vec<String>> {
    read(&[
        ("observation/v1.sql", main),
        ("observation/v1.view.sql", view),
    ])
    .map(|catalog| catalog.queries().next().expect("one query").clone())
    .map_err(|error| {
        let problems = error.problems.into_iter();
        problems
            .map(|it| {
                format!(
                    "{}: {}; {}",
                    it.file.file_name().expect("a file").display(),
                    it.what,
                    it.instead
                )
            })
            .collect()
    })
}

fn problems(view: &str) -> Vec<String> {
    read_with(&declared(), view).expect_err("problems")
}

#[test]
fn a_declared_variant_is_read_with_its_query() {
    let query = read_with(&declared(), VIEW).expect("a query");

    let variant = &query.variants[0];
    assert_eq!(variant.name.as_str(), "view");
    assert_eq!(variant.brings, Brings::Whole);
    assert_eq!(query.statement(Some(&variant.name)), Some(&*variant.sql));
    assert_eq!(query.statement(None), Some(&*query.sql));
    assert!(variant.sql.starts_with("SELECT o.RecordID"));
}

#[test]
fn a_file_that_no_header_names_is_somebody_elses() {
    let query = read_with(GOOD, "anything").expect("a query");

    assert!(query.variants.is_empty());
}

#[test]
fn a_variant_is_frozen_with_its_query_by_what_it_means() {
    let fingerprint = |main: &str, view: &str| read_with(main, view).expect("a query").fingerprint;
    let original = fingerprint(&declared(), VIEW);

    let other_words = VIEW.replace("Where OBSERVATIONS", "Wherever OBSERVATIONS");
    let other_blanks = VIEW.replace("\nFROM", "\n    FROM -- the view\n");
    assert_eq!(fingerprint(&declared(), &other_words), original);
    assert_eq!(fingerprint(&declared(), &other_blanks), original);
    let other_rows = VIEW.replace("BPS_Observations o", "BPS_AllObservations o");
    assert_ne!(fingerprint(&declared(), &other_rows), original);
    assert_ne!(fingerprint(GOOD, VIEW), original);
}

#[test]
fn a_variant_keeps_to_columns_and_rules_of_its_query() {
    let cases = [
        (
            VIEW.replace(", o.Value AS value", ""),
            "v1.view.sql: column `value` is not in the SELECT; add `... AS value` to it, or remove its line from `[columns]`",
        ),
        (
            VIEW.replace("o.Value AS value", "o.Surname AS value"),
            "v1.view.sql: `value` is `clinical` but carries `Surname`, which points at a person; leave it out, or write `class = \"identifier\", privacy = \"drop\"`",
        ),
        (
            VIEW.replace("ORDER BY", "WHERE o.Created >= @window_start\nORDER BY"),
            "v1.view.sql: `@window_start` is not a parameter of a variant that brings the whole; take every row that stands, or write `brings = \"changes\"`",
        ),
        (
            VIEW.replace(
                "opt_out = \"joins PATIENTS and takes those with no opt-out\"\n",
                "",
            ),
            "v1.view.sql: the query reads patients and does not say how those who opted out are kept out; filter them in the statement and write `opt_out = \"how\"`",
        ),
        (
            VIEW.replace("\"whole\"", "\"all\""),
            "v1.view.sql: `all` is not what a variant can bring; write one of changes, whole",
        ),
        (
            VIEW.replace("why ", "mode = \"snapshot\"\nwhy "),
            "v1.view.sql: `mode` is not a key of a variant, which has the rest from its query; write one of why, brings, opt_out, cost",
        ),
        (
            VIEW.replace(
                "SELECT o.RecordID AS",
                "DELETE FROM t; SELECT o.RecordID AS",
            ),
            "v1.view.sql: `DELETE` has no place in a statement that only reads; write one SELECT, with WITH for what it builds on",
        ),
    ];
    for (view, told) in cases {
        let found = problems(&view);
        assert_eq!(found, [told], "{view}");
    }
}

#[test]
fn a_variant_that_is_named_wrongly_or_twice_or_has_no_file_is_told() {
    for (names, told) in [
        (
            "\"other\"",
            "v1.sql: the variant `other` has no file; write it as `v1.other.sql` beside this file",
        ),
        (
            "\"view\", \"view\"",
            "v1.sql: the variant `view` is named twice; name each once",
        ),
        (
            "\"../view\"",
            "v1.sql: `../view` is not a variant's name; use a lower-case letter, then lower-case letters, digits or `_`",
        ),
    ] {
        let main = declared().replace("\"view\"", names);
        assert_eq!(read_with(&main, VIEW), Err(vec![told.to_owned()]));
    }
}

#[test]
fn what_changes_in_a_variant_is_told_to_readers() {
    let plain = read_with(GOOD, VIEW).expect("a query");
    let with_view = read_with(&declared(), VIEW).expect("a query");
    let other = read_with(&declared(), &VIEW.replace("BPS_Obs", "BPS_AllObs")).expect("a query");
    let told = |from: &Query, to: &Query| -> Vec<String> {
        let changes = diff(from, to).into_iter().map(|change| change.to_string());
        changes
            .filter(|change| change.contains("variant"))
            .collect()
    };

    assert_eq!(
        told(&plain, &with_view),
        ["additive (statement): the variant `view` is new"]
    );
    assert_eq!(
        told(&with_view, &plain),
        ["breaking (statement): the variant `view` is gone"]
    );
    assert_eq!(
        told(&with_view, &other),
        ["breaking (statement): the statement of the variant `view` differs"]
    );
}
