//! What a second version changes for readers.

use super::{GOOD, query, with};
use crate::catalog::diff::{Change, diff};

/// The changes from the good file to `text`.
fn changes(text: &str) -> Vec<String> {
    diff(&query(GOOD), &query(text))
        .iter()
        .map(Change::to_string)
        .collect()
}

#[test]
fn versions_that_differ_only_in_blanks_and_comments_are_alike() {
    assert_eq!(changes(GOOD), [""; 0]);
    assert_eq!(
        changes(&GOOD.replace('\n', "\r\n").replace(", o.", ", -- x\r\n o.")),
        [""; 0]
    );
}

#[test]
fn a_new_column_is_additive() {
    let text = with("o.VALUE AS value", "o.UNITS AS units, o.VALUE AS value").replace(
        "value      = {",
        "units      = { type = \"varchar(10)\", class = \"clinical\" }\nvalue      = {",
    );
    assert_eq!(changes(&text), ["additive (contract): `units` is new"]);
}

#[test]
fn each_change_is_told_with_its_weight() {
    for (from, to, told) in [
        (
            "value      = { type = \"varchar(20)\"",
            "value      = { type = \"varchar(40)\"",
            "cosmetic (contract): `value` was `varchar(20)` and is `varchar(40)`",
        ),
        (
            "record_id  = { type = \"int not null\"",
            "record_id  = { type = \"bigint not null\"",
            "breaking (contract): `record_id` was `int not null` and is `bigint not null`",
        ),
        (
            "\"datetime not null\"",
            "\"datetime\"",
            "breaking (contract): `observed` was `datetime not null` and is `datetime`",
        ),
        (
            "\"varchar(20)\"",
            "\"varchar(20) not null\"",
            "additive (contract): `value` was `varchar(20)` and is `varchar(20) not null`",
        ),
        (
            ", trim = true",
            "",
            "breaking (contract): `value` keeps its trailing blanks",
        ),
        (
            "as typed",
            "as measured",
            "cosmetic (contract): `value` is described in other words",
        ),
        (
            "privacy = \"day\"",
            "privacy = \"keep\"",
            "breaking (privacy): `observed` had `day` and has `keep`: more leaves the practice",
        ),
        (
            "\"clinical\", trim",
            "\"clinical\", privacy = \"keep\", trim",
            "cosmetic (privacy): `value` had no rule and has `keep`",
        ),
        (
            "\"clinical\", trim",
            "\"clinical\", privacy = \"drop\", trim",
            "breaking (privacy): `value` had no rule and has `drop`: less leaves the practice",
        ),
        (
            "\"quasi\"",
            "\"clinical\"",
            "cosmetic (privacy): `observed` was classed `quasi` and is `clinical`",
        ),
        (
            "o.OBSDATE AS",
            "o.CREATED AS",
            "breaking (statement): `observed` is computed in another way",
        ),
        (
            "ORDER BY",
            "AND o.RECORDSTATUS = 1 ORDER BY",
            "breaking (statement): what follows the select list differs: other rows may come",
        ),
        (
            "MAXDOP 1",
            "MAXDOP 2",
            "cosmetic (statement): hints or spelling of the statement differ",
        ),
        (
            "2 days",
            "5 days",
            "additive (header): `mode` was incremental with 2 days of overlap \
             and is incremental with 5 days of overlap",
        ),
        (
            "2 days",
            "1 day",
            "breaking (header): `mode` was incremental with 2 days of overlap \
             and is incremental with 1 day of overlap",
        ),
        (
            "[\"record_id\"]",
            "[\"patient_id\", \"record_id\"]",
            "breaking (header): `key` was `record_id` and is `patient_id, record_id`",
        ),
        (
            "cron      = \"30 1 * * *\"\n",
            "",
            "cosmetic (header): `cron` was `30 1 * * *` and is not given",
        ),
    ] {
        assert_eq!(changes(&with(from, to)), [told], "`{from}` became `{to}`");
    }
}

#[test]
fn a_column_that_goes_is_breaking_and_comes_first() {
    let text = with(", o.VALUE AS value", "")
        .replace("value      = {", "# value    = {")
        .replace("\"population-health\"", "\"analysts\"");
    assert_eq!(
        changes(&text),
        [
            "breaking (contract): `value` is gone",
            "cosmetic (header): `owner` was `population-health` and is `analysts`",
        ]
    );
}

#[test]
fn another_order_of_columns_is_cosmetic() {
    let line = "value      = { type = \"varchar(20)\", class = \"clinical\", trim = true, description = \"as typed\" }\n";
    let text = with(line, "")
        .replace("[columns]\n", &format!("[columns]\n{line}"))
        .replace(", o.VALUE AS value", "")
        .replace("SELECT o.", "SELECT o.VALUE AS value, o.");
    assert_eq!(
        changes(&text),
        ["cosmetic (contract): the columns have another order; readers by name see no difference"]
    );
}

#[test]
fn a_union_is_compared_as_a_whole() {
    let union = with(
        "ORDER BY o.RECORDID",
        "UNION ALL SELECT 1, 2, '2026-01-01', 'x'",
    );
    assert_eq!(
        changes(&union),
        ["breaking (statement): the statement differs: other rows or values may come"]
    );
}
