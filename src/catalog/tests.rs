//! Tests of the catalog: what a good file becomes, and what each mistake is told as.

use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::files::QueryFile;
use super::read::check;
use super::{Catalog, CatalogError, Problem};
use crate::domain::{Class, Mode, PmsType, Query, Rule, SqlType};

const GOOD: &str = r#"/*---
purpose   = "Recorded measurements"
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "30 1 * * *"
measures  = ["QIM 3", "QIM 8"]
opt_out   = "joins PATIENTS and takes those with no opt-out"
freshness = "36 hours"

[columns]
record_id  = { type = "int not null", class = "operational" }
patient_id = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient" }
observed   = { type = "datetime not null", class = "quasi", privacy = "day" }
value      = { type = "varchar(20)", class = "clinical", trim = true, description = "as typed" }
---*/
SELECT o.RECORDID AS record_id, o.INTERNALID AS patient_id, o.OBSDATE AS observed, o.VALUE AS value
FROM OBSERVATIONS o WITH (NOLOCK)
WHERE COALESCE(o.UPDATED, o.CREATED) >= @window_start AND COALESCE(o.UPDATED, o.CREATED) < @window_end
ORDER BY o.RECORDID
OPTION (MAXDOP 1);
"#;

fn file() -> QueryFile {
    QueryFile {
        id: "observation@v1".parse().expect("an id"),
        path: "queries/observation/v1.sql".into(),
    }
}

fn query(text: &str) -> Query {
    check(&file(), text).expect("a query without problems")
}

/// The problems of a text, as `line:column what; instead`.
fn problems(text: &str) -> Vec<String> {
    let told = |problem: Problem| {
        let (line, column) = (
            problem.line.expect("a line"),
            problem.column.expect("a column"),
        );
        format!("{line}:{column} {}; {}", problem.what, problem.instead)
    };
    let problems = check(&file(), text).err().unwrap_or_default();
    problems.into_iter().map(told).collect()
}

/// The good file with one text in it replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the good file");
    GOOD.replacen(from, to, 1)
}

#[test]
fn a_good_file_becomes_a_query() {
    let query = query(GOOD);

    assert_eq!(query.id.to_string(), "observation@v1");
    assert_eq!(query.pms, PmsType::BestPractice);
    assert_eq!(query.catalogue.as_deref(), Some("BPSPatients"));
    assert_eq!(query.mode, Mode::Incremental { overlap_days: 2 });
    assert_eq!(query.key, ["record_id"]);
    assert_eq!(query.measures, ["QIM 3", "QIM 8"]);
    assert_eq!(query.freshness, Some(Duration::from_secs(36 * 60 * 60)));
    assert!(query.sql.starts_with("SELECT o.RECORDID"));
    assert!(query.sql.ends_with("OPTION (MAXDOP 1);"));
    let columns = &query.contract.columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["record_id", "patient_id", "observed", "value"]);
    assert_eq!(columns[1].class, Class::Identifier);
    assert_eq!(
        columns[1].rule,
        Some(Rule::Pseudonym {
            kind: "patient".to_owned()
        })
    );
    assert_eq!(columns[2].sql_type, SqlType::DateTime);
    assert!(!columns[2].nullable && columns[3].nullable);
    assert!(columns[3].trim && !columns[2].trim);
    assert_eq!(columns[3].description.as_deref(), Some("as typed"));
}

#[test]
fn what_may_stand_before_the_header_or_be_written_otherwise_is_no_problem() {
    for text in [
        format!("\u{feff}\r\n-- Licence: see LICENSE.\r\n{GOOD}"),
        GOOD.replace('\n', "\r\n"),
        with("int not null", "INT  NOT NULL"),
        with("varchar(20)", "varchar(20) null"),
        with("o.VALUE AS value", "value = o.VALUE"),
        with("o.VALUE AS value", "o.value"),
        with(
            "FROM OBSERVATIONS o WITH (NOLOCK)",
            "FROM OBSERVATIONS o INNER JOIN PATIENTS p ON p.INTERNALID = o.INTERNALID",
        ),
        with(
            "SELECT o.REC",
            "WITH recent AS (SELECT RECORDID FROM OBSERVATIONS) SELECT o.REC",
        ),
        with(
            "WHERE ",
            "WHERE o.[UPDATE] = 1 AND EXISTS (SELECT 1 FROM PATIENTS p) AND ",
        ),
        with("MAXDOP 1", "MERGE JOIN, MAXDOP 1"),
        with(
            "ORDER BY o.RECORDID",
            "UNION ALL SELECT 1, 2, '2026-01-01', 'x' -- INTO nowhere",
        ),
    ] {
        assert_eq!(problems(&text), [""; 0], "{text}");
    }
}

#[test]
fn a_snapshot_uses_its_date_or_nothing() {
    let (start, end) = (
        GOOD.find("WHERE").expect("WHERE"),
        GOOD.find("ORDER BY").expect("ORDER BY"),
    );
    let snapshot = GOOD
        .replace(&GOOD[start..end], "")
        .replace("\"incremental\"", "\"snapshot\"")
        .replace("overlap   = \"2 days\"\n", "");

    assert_eq!(query(&snapshot).mode, Mode::Snapshot);
    let dated = snapshot.replace("ORDER BY", "WHERE o.CREATED < @snapshot_date ORDER BY");
    assert_eq!(query(&dated).mode, Mode::Snapshot);
    let windowed = snapshot.replace("ORDER BY", "WHERE o.CREATED < @window_end ORDER BY");
    assert_eq!(
        problems(&windowed),
        ["22:19 `@window_end` is not a parameter of a snapshot; use `@snapshot_date`"]
    );
}

/// Each row: a text of the good file, what stands there instead, and the problems told.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

fn assert_told(mistakes: &[Mistake]) {
    for (from, to, told) in mistakes {
        assert_eq!(problems(&with(from, to)), *told, "`{from}` became `{to}`");
    }
}

#[test]
fn a_key_of_the_header_that_is_wrong_is_told_with_what_to_write() {
    assert_told(&[
        (
            "purpose ",
            "purpos  ",
            &[
                "1:6 the header has no `purpose`; write for example `purpose = \"what the rows are for\"`",
                "2:1 `purpos` is not a key of the header; write `purpose`",
            ],
        ),
        (
            "owner     =",
            "frequency = 1\nowner =",
            &[
                "3:1 `frequency` is not a key of the header; write one of purpose, owner, pms, catalogue, \
                 mode, watermark, overlap, key, cron, measures, opt_out, cost, freshness, columns",
            ],
        ),
        (
            "\"population-health\"",
            "7",
            &["3:13 `owner` is a number; write it as text: `owner = \"...\"`"],
        ),
        (
            "\"population-health\"",
            "\" \"",
            &["3:13 `owner` is empty; write a text, or remove the key"],
        ),
        (
            "\"best-practice\"",
            "\"bp\"",
            &[
                "4:13 `bp` is not one of best-practice, zedmed, d4w; write for example `best-practice`",
            ],
        ),
        (
            "\"BPSPatients\"",
            "\"BPS.dbo\"",
            &[
                "1:6 `BPS.dbo` is not a database name (a letter, then letters, digits or _); \
               write for example `catalogue = \"BPSPatients\"`",
            ],
        ),
        (
            "\"incremental\"",
            "\"incremantal\"",
            &["6:13 `incremantal` is not a mode; write `incremental`"],
        ),
        (
            "\"incremental\"",
            "\"snapshot\"",
            &[
                "8:13 a snapshot has no overlap: it is the rows of one day; \
                 remove `overlap`, or write `mode = \"incremental\"`",
                "23:41 `@window_start` is not a parameter of a snapshot; use `@snapshot_date`",
                "23:92 `@window_end` is not a parameter of a snapshot; use `@snapshot_date`",
            ],
        ),
        (
            "watermark = \"coalesce(UPDATED, CREATED)\"\n",
            "",
            &["1:6 the header has no `watermark`; \
               write for example `watermark = \"coalesce(UPDATED, CREATED)\"`"],
        ),
        (
            "overlap   = \"2 days\"\n",
            "",
            &["1:6 the header has no `overlap`; write for example `overlap = \"2 days\"`"],
        ),
        (
            "\"2 days\"",
            "\"2 weeks\"",
            &["8:13 `2 weeks` is not a number of days from 0 to 366; \
               write for example `overlap = \"2 days\"`"],
        ),
        (
            "\"36 hours\"",
            "\"soon\"",
            &[
                "13:13 `soon` is not a time in hours or days; write for example `freshness = \"36 hours\"`",
            ],
        ),
        (
            "30 1 * * *",
            "30 25 * * *",
            &[
                "10:13 the cron pattern `30 25 * * *` has `25` where an hour is wanted; \
               write minute, hour, day, month and day of the week, for example `30 1 * * *`",
            ],
        ),
        (
            "[\"QIM 3\", \"QIM 8\"]",
            "\"QIM 3\"",
            &["11:13 `measures` is not a list of texts; write `measures = [\"...\", \"...\"]`"],
        ),
        (
            "opt_out ",
            "# opt_out ",
            &[
                "1:6 the query reads patients and does not say how those who opted out are kept out; \
               filter them in the statement and write `opt_out = \"how\"`",
            ],
        ),
        (
            "owner     = ",
            "owner ",
            &[
                "3:7 the header is not TOML: key with no value, expected `=`; \
               write lines of `key = value`, texts in double quotes, each key once",
            ],
        ),
        (
            "owner     = ",
            "purpose   = ",
            &["3:1 the header is not TOML: duplicate key; \
               write lines of `key = value`, texts in double quotes, each key once"],
        ),
    ]);
}

#[test]
fn a_header_that_is_not_where_it_should_be_is_told() {
    assert_told(&[
        (
            "/*---\n",
            "SELECT 1 /*---\n",
            &["1:1 the file does not begin with a header; \
               write `/*---`, the header's TOML and `---*/` before the statement"],
        ),
        (
            "---*/",
            "",
            &[
                "1:1 the header does not end; write `---*/` on a line of its own after the last column",
            ],
        ),
        (
            "\"as typed\"",
            "\"as /* typed\"",
            &[
                "19:89 the header holds a comment mark, so that SQL Server would read it in another way; \
               take `/*` and `*/` out of the header",
            ],
        ),
    ]);
}

#[test]
fn a_column_that_is_wrong_is_told_with_what_to_write() {
    assert_told(&[
        (
            "type = \"int not null\", class = \"operational\"",
            "",
            &[
                "16:1 column `record_id` has no `type`; write for example `type = \"int not null\"`",
                "16:1 column `record_id` has no `class`; write for example `class = \"clinical\"`",
            ],
        ),
        (
            "{ type = \"int not null\", class = \"operational\" }",
            "\"int\"",
            &["16:14 `record_id` is a text; \
               write `record_id = { type = \"int not null\", class = \"clinical\" }`"],
        ),
        (
            "\"varchar(20)\"",
            "\"string\"",
            &["19:23 `string` is not a SQL Server type; write for example `varchar(40)`"],
        ),
        (
            "\"quasi\"",
            "\"quasy\"",
            &["18:52 `quasy` is not a class; write `quasi`"],
        ),
        (
            "\"day\"",
            "\"dya\"",
            &["18:71 `dya` is not a privacy rule; write `day`"],
        ),
        (
            "trim = true",
            "trimmed = true",
            &["19:58 `trimmed` is not a key of column `value`; \
               write one of type, class, privacy, of, trim, offset, description"],
        ),
        (
            "trim = true",
            "trim = 1",
            &["19:65 `trim` is a number; write `trim = true`, or remove it"],
        ),
        (
            "trim = true",
            "offset = true",
            &[
                "19:1 `value` has `offset` but is `varchar(20)`; remove `offset`: only `datetimeoffset` has one",
            ],
        ),
        (
            "privacy = \"day\"",
            "trim = true",
            &[
                "18:1 `observed` has `trim` but is `datetime`; remove `trim`: it cuts the blanks after text",
            ],
        ),
        (
            "value      = {",
            "_value     = {",
            &[
                "19:1 column `_value` is not in the SELECT; add `... AS _value` to it, or remove this line",
                "19:1 `_value` is not a column name (a letter, then letters, digits or _); \
                 give the column a plain name with AS; names with _ in front are ours",
                "21:95 column `value` of the SELECT is not in `[columns]`; write `AS _value`",
            ],
        ),
    ]);
}

#[test]
fn what_would_leave_without_a_rule_is_told() {
    assert_told(&[
        (
            ", privacy = \"pseudonym\", of = \"patient\"",
            "",
            &[
                "17:1 `patient_id` is an identifier without a privacy rule; \
               add `privacy = \"pseudonym\", of = \"patient\"` or `privacy = \"drop\"`; `keep` lets it leave",
            ],
        ),
        (
            ", of = \"patient\"",
            "",
            &[
                "17:71 column `patient_id` is a pseudonym of nothing named; \
                 say what it names, for example `of = \"patient\"`",
            ],
        ),
        (
            "of = \"patient\"",
            "of = \"the patient\"",
            &[
                "17:89 `the patient` is not a kind (lower-case letters, digits, _); \
               write for example `of = \"patient\"`",
            ],
        ),
        (
            "privacy = \"day\"",
            "of = \"visit\"",
            &["18:66 column `observed` has `of` but is not a pseudonym; \
               remove `of`, or write `privacy = \"pseudonym\"`"],
        ),
        (
            "\"varchar(20)\"",
            "\"varchar(max)\"",
            &["19:1 `value` is free text (`varchar(max)`); \
               add `privacy = \"drop\"`, or `privacy = \"keep\"` if people's own words must leave"],
        ),
        (
            "\"varchar(20)\"",
            "\"nvarchar(256)\"",
            &["19:1 `value` is free text (`nvarchar(256)`); \
               add `privacy = \"drop\"`, or `privacy = \"keep\"` if people's own words must leave"],
        ),
        (
            "\"datetime not null\"",
            "\"int not null\"",
            &[
                "18:1 the rule `day` wants a date, and `observed` is `int`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
        (
            "privacy = \"day\"",
            "privacy = \"postcode3\"",
            &[
                "18:1 the rule `postcode3` wants a text, and `observed` is `datetime`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
        (
            "type = \"int not null\", class = \"identifier\"",
            "type = \"float not null\", class = \"identifier\"",
            &[
                "17:1 the rule `pseudonym of patient` wants a value with one spelling, and `patient_id` is `float`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
    ]);
}

#[test]
fn a_key_that_does_not_identify_rows_is_told() {
    assert_told(&[
        (
            "[\"record_id\"]",
            "[\"recordid\"]",
            &["9:14 the key names `recordid`, which is not in `[columns]`; write `record_id`"],
        ),
        (
            "[\"record_id\"]",
            "[\"record_id\", \"record_id\"]",
            &["9:27 `record_id` is in the key twice; name each column once"],
        ),
        (
            "[\"record_id\"]",
            "[\"value\"]",
            &["9:14 the key names `value`, which may be null; \
               write `not null` in the type of `value`, or take another column"],
        ),
        (
            "class = \"operational\"",
            "class = \"operational\", privacy = \"drop\"",
            &["9:14 the key names `record_id`, which is dropped; \
               give `record_id` the rule `pseudonym`, or take another column"],
        ),
    ]);
}

#[test]
fn a_statement_that_does_more_than_read_is_told() {
    let refused = |place: &str, word: &str| {
        format!(
            "{place} `{word}` has no place in a statement that only reads; \
             write one SELECT, with WITH for what it builds on"
        )
    };
    for (from, to, place, word) in [
        ("FROM OBS", "INTO copy FROM OBS", "22:1", "INTO"),
        (
            "OPTION (MAXDOP 1);",
            "; DELETE FROM OBSERVATIONS",
            "25:3",
            "DELETE",
        ),
        (
            "SELECT o.REC",
            "declare @x int; SELECT o.REC",
            "21:1",
            "declare",
        ),
        (
            "FROM OBS",
            "FROM OPENQUERY(other, 'DROP TABLE x') OBS",
            "22:6",
            "OPENQUERY",
        ),
        ("o.VALUE AS", "NEXT VALUE FOR numbers AS", "21:84", "NEXT"),
    ] {
        let told = problems(&with(from, to));
        assert!(told.contains(&refused(place, word)), "{to}: {told:#?}");
    }
    assert_told(&[
        (
            "OPTION (MAXDOP 1);",
            "; SELECT 1 AS one",
            &["25:3 the file holds more or other than one SELECT; \
               write one SELECT, with WITH for what it builds on"],
        ),
        (
            "OPTION (MAXDOP 1);",
            "FOR JSON AUTO",
            &[
                "21:1 `FOR JSON AUTO` makes one text of all rows; remove it: rows and columns are wanted",
            ],
        ),
        (
            "o.VALUE AS value",
            "o.*",
            &["21:84 `*` returns whatever the table has at each site; \
               name the columns; in EXISTS write `SELECT 1`"],
        ),
        (
            "WHERE ",
            "WHERE ) ",
            &[
                "23:7 the statement does not parse: Expected: an expression, found: ); correct the T-SQL here",
            ],
        ),
        (
            "AS value",
            "AS 'value",
            &[
                "21:95 the statement cannot be read: Unterminated string literal; close the quote or comment",
            ],
        ),
    ]);
}

#[test]
fn a_file_without_a_statement_is_told() {
    let end = GOOD.find("---*/").expect("the header's end") + "---*/".len();
    let told = ["1:6 there is no statement after the header; write one SELECT after the header"];
    assert!(problems(&GOOD[..end]).contains(&told[0].to_owned()));
    let commented = format!("{}\n-- nothing yet\n", &GOOD[..end]);
    assert!(problems(&commented).contains(&told[0].to_owned()));
}

#[test]
fn parameters_that_are_not_ours_or_not_used_are_told() {
    assert_told(&[
        (
            "@window_start",
            "@window_begin",
            &[
                "1:6 the query is incremental but its statement does not use `@window_start`; \
                 compare the watermark: `>= @window_start AND ... < @window_end`",
                "23:41 `@window_begin` is not a parameter of an incremental query; \
                 use `@window_start` and `@window_end`",
            ],
        ),
        (
            "o.VALUE AS value",
            "@@SERVERNAME AS value",
            &[
                "21:84 `@@SERVERNAME` is not a parameter of an incremental query; \
               use `@window_start` and `@window_end`",
            ],
        ),
    ]);
}

#[test]
fn a_select_list_that_differs_from_the_contract_is_told() {
    assert_told(&[
        (
            "o.OBSDATE AS observed, o.VALUE AS value",
            "o.VALUE AS value, o.OBSDATE AS observed",
            &[
                "21:72 column 3 is `value` in the SELECT and `observed` in `[columns]`; \
               put both in the same order",
            ],
        ),
        (
            ", o.VALUE AS value",
            "",
            &[
                "19:1 column `value` is not in the SELECT; add `... AS value` to it, or remove this line",
            ],
        ),
        (
            "o.VALUE AS value",
            "RTRIM(o.VALUE)",
            &["21:84 column 4 of the SELECT has no name; write `AS value` after it"],
        ),
        (
            "o.VALUE AS value",
            "o.VALUE AS value, o.UNIT AS unit",
            &["21:112 column `unit` of the SELECT is not in `[columns]`; \
               add a line `unit = { ... }` to `[columns]`, or remove it here"],
        ),
        (
            "o.VALUE AS value",
            "o.VALUE AS value, o.VALUE AS value",
            &["21:113 two columns of the SELECT are named `value`; give each its own name with AS"],
        ),
    ]);
}

#[test]
fn what_people_and_the_schedule_read_does_not_change_the_fingerprint() {
    let before = query(GOOD).fingerprint;
    for text in [
        GOOD.replace('\n', "\r\n"),
        GOOD.replace(", o.", ",\n\t-- the next one\n  o."),
        with(
            "FROM OBSERVATIONS o",
            "FROM /* all /* of */ them */ OBSERVATIONS   o",
        ),
        with("Recorded measurements", "Measurements"),
        with("population-health", "analysts"),
        with("30 1 * * *", "45 2 * * *"),
        with("\"QIM 8\"", "\"QIM 9\""),
        with("as typed", "as it was typed"),
        with("36 hours", "2 days"),
        with(
            "watermark = \"coalesce(UPDATED, CREATED)\"",
            "watermark = \"UPDATED\"",
        ),
        with("type = \"int not null\"", "type = \"INTEGER NOT NULL\""),
    ] {
        assert_eq!(query(&text).fingerprint, before, "{text}");
    }
}

#[test]
fn whatever_changes_the_rows_changes_the_fingerprint() {
    let mut fingerprints = vec![query(GOOD).fingerprint];
    for (from, to) in [
        ("o.OBSDATE AS", "o.CREATED AS"),
        ("MAXDOP 1", "MAXDOP 2"),
        ("< @window_end", "<= @window_end"),
        ("o.VALUE AS value", "'a  b' AS value"),
        ("o.VALUE AS value", "'a b' AS value"),
        ("o.VALUE AS value", "'A b' AS value"),
        ("2 days", "3 days"),
        ("BPSPatients", "BPSSamples"),
        ("[\"record_id\"]", "[\"patient_id\", \"record_id\"]"),
        ("varchar(20)", "varchar(21)"),
        ("datetime not null", "datetime"),
        ("\"quasi\"", "\"clinical\""),
        ("\"day\"", "\"month\""),
        ("of = \"patient\"", "of = \"person\""),
        (", trim = true", ""),
    ] {
        fingerprints.push(query(&with(from, to)).fingerprint);
    }
    let count = fingerprints.len();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), count);
}

/// The value was computed with Python's `hashlib` over the text that `fingerprint.rs` describes. Ledgers
/// keep it: it may never change.
#[test]
fn the_fingerprint_of_a_query_is_the_same_for_ever() {
    let text = "/*---\npurpose = \"p\"\nowner = \"o\"\npms = \"best-practice\"\nmode = \"snapshot\"\n\
                [columns]\nname = { type = \"char(4) not null\", class = \"clinical\", trim = true }\n\
                ---*/\nSELECT 'it''s \n' + [a]]b].\"c d\" AS name -- done\n";
    assert_eq!(
        query(text).fingerprint.to_string(),
        "0651f2e3cf67c937cee322fb57cb56c382114cdaf9bbd43cc4007504eaa47ebc"
    );
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

fn read(files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
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
fn a_very_long_sum_neither_overflows_the_stack_nor_passes() {
    let sum = |terms: usize| with("o.VALUE AS", &format!("{} AS", vec!["1"; terms].join("+")));
    assert_eq!(problems(&sum(9_000)), [""; 0]);
    assert!(problems(&sum(20_000))[0].contains("more than 20000"));
    let nested = with(
        "o.VALUE AS",
        &format!("{}1{} AS", "(".repeat(9_000), ")".repeat(9_000)),
    );
    assert!(problems(&nested)[0].contains("does not parse"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|(?s).{0,200}") {
        let _ = check(&file(), &text);
    }

    #[test]
    fn a_damaged_file_is_read_without_a_panic(
        at in 0..GOOD.len(),
        length in 0_usize..40,
        put in "|[\\PC]{0,8}|/\\*|---\\*/|'|\"|\\[|\\]|\\(|\\)|OPTION \\(|--|@",
    ) {
        let end = (at + length).min(GOOD.len());
        let _ = check(&file(), &format!("{}{put}{}", &GOOD[..at], &GOOD[end..]));
    }

    #[test]
    fn blanks_between_words_do_not_change_the_fingerprint(blank in "[ \t\r\n]{1,6}") {
        let spaced = GOOD.replace(", o.", &format!(",{blank}o."));
        prop_assert_eq!(query(&spaced).fingerprint, query(GOOD).fingerprint);
    }
}

#[test]
fn the_queries_of_the_test_data_have_no_problems() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (set, queries) in [("synthea-nj", 15), ("cdisc-pilot-01", 12)] {
        let catalog = Catalog::read(&data.join(set).join("queries")).expect("no problems");
        assert_eq!(catalog.queries().count(), queries, "{set}");
    }
}
