//! Ledgers of every earlier schema, as `.dump` wrote them, brought up to date. A release whose schema is new adds the
//! dump of the one before to `schemas/`.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::*;
use crate::ledger::{AttemptOutcome, LedgerErrorKind};

/// Dumps by the schema's number.
fn dumps() -> Vec<(u32, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ledger/tests/schemas");
    let mut found: Vec<(u32, String)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let number = path.file_stem().expect("a name").to_string_lossy();
            (
                number.parse().expect("a number"),
                std::fs::read_to_string(&path).expect("a dump"),
            )
        })
        .collect();
    found.sort();
    found
}

/// The tables and indexes of a ledger, as SQLite describes them.
fn tables(folder: &TempDir) -> Vec<(String, String)> {
    let raw = Connection::open(folder.path().join("ledger.sqlite")).expect("a database");
    let mut statement = raw
        .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")
        .expect("a schema");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("text")).collect()
}

fn upgraded(dump: &str) -> Home {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = Connection::open(folder.path().join("ledger.sqlite")).expect("a database");
    raw.execute_batch(dump).expect("a dump");
    drop(raw);
    let ledger = open(&folder);
    Home { folder, ledger }
}

#[test]
fn every_earlier_schema_becomes_the_present_one() {
    let fresh = Home::new();
    let dumps = dumps();
    let numbers: Vec<u32> = dumps.iter().map(|dump| dump.0).collect();
    let earlier: Vec<u32> = (1..crate::ledger::schema::known()).collect();
    assert_eq!(numbers, earlier, "an earlier schema has no dump");

    for (number, dump) in dumps {
        let home = upgraded(&dump);

        assert_eq!(
            tables(&home.folder),
            tables(&fresh.folder),
            "schema {number}"
        );
    }
}

#[test]
fn what_an_earlier_program_recorded_is_read_and_gone_on_with() {
    for (number, dump) in dumps() {
        let home = upgraded(&dump);
        let ledger = &home.ledger;

        let site = ledger.site(&"s1".parse().expect("a key")).expect("read");
        assert_eq!(
            site.and_then(|site| site.practice_name).as_deref(),
            Some("Example Street Clinic"),
            "schema {number}"
        );
        let done = ledger.extraction(&extraction("s1/visit@v1/2026-11-17..2026-11-18"));
        let done = done.expect("read").expect("held");
        assert_eq!(done.proof.and_then(|proof| proof.rows().ok()), Some(7));
        assert_eq!(done.attempts, 1);
        let failed = extraction("s1/visit@v1/2026-11-18..2026-11-19");
        let attempts = ledger.attempts(&failed).expect("read");
        let outcomes: Vec<_> = attempts.iter().map(|it| it.outcome.clone()).collect();
        assert_eq!(outcomes, vec![Some(AttemptOutcome::Failed); 2]);
        let claim = home.claim("02:00").expect("what was pending is due");
        assert_eq!(
            claim.extraction,
            extraction("s1/visit@v1/2026-11-19..2026-11-20")
        );
    }
}

/// A ledger of schema 20, with a row that has something in every column, and with rows that refer to it.
fn full_of_schema_20(folder: &TempDir) -> Connection {
    let raw = Connection::open(folder.path().join("ledger.sqlite")).expect("a database");
    raw.execute_batch(include_str!("schemas/0020.sql"))
        .expect("a dump");
    raw.execute_batch(
        "PRAGMA foreign_keys = ON;
         INSERT INTO backfill (id, digest, state, asked, estimate, most_failed, priority, planned_at, changed_at)
             VALUES (3, 'd', 'running', '{}', '{}', '1', 4, 5, 6);
         INSERT INTO merge (id, site, query, version, window_start, window_end, attempt, path, bytes, rows, sha256, began_at)
             VALUES (8, 's1', 'visit', 1, '2026-11-01', '2026-11-03', 2, 'p', 1, 2, 'd', 3);
         INSERT INTO extraction (id, site, query, version, window_start, window_end, state, detail, due, lane, priority,
                not_before, planned_at, changed_at, worker, lease_until, fence, object_path, object_bytes, object_rows,
                object_sha256, proof_declared, proof_pages, proof_batches, proof_footer, extracted_at, proof_withheld,
                object_etag, object_gone, object_removed_at, attempts_before, object_variant, backfill, results_lost,
                object_attempt, merge)
             VALUES (70, 's1', 'visit', 2, '2026-11-02', '2026-11-03', 'running', 'polling', 'missing', 'backfill', 11,
                12, 13, 14, 'w', 15, 16, 'path', 17, 18, 'digest', 18, 18, 18, 18, 19, 20, 'etag', 'compacted', 21, 22,
                'view', 3, 23, 24, 8);
         INSERT INTO attempt (extraction, number, worker, started_at) VALUES (70, 25, 'w', 26);
         INSERT INTO setback (extraction, at, class, who, what) VALUES (70, 27, 'site', 'practice', 'what');
         INSERT INTO backfill_unit (backfill, position, site, query, version, window_start, window_end, due, extraction)
             VALUES (3, 1, 's1', 'visit', 2, '2026-11-02', '2026-11-03', 'missing', 70);
         INSERT INTO nightly (site, query, version, since, planned_to, covered_to, newest)
             VALUES ('s1', 'visit', 2, 28, '2026-11-03', '2026-11-02', 70);",
    )
    .expect("rows");
    raw
}

/// Every value of a table by row and column name.
fn values(raw: &Connection, table: &str) -> Vec<BTreeMap<String, rusqlite::types::Value>> {
    let mut statement = raw
        .prepare(&format!("SELECT * FROM {table}"))
        .expect("a table");
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let value = |name: &String| Ok((name.clone(), row.get(name.as_str())?));
        names.iter().map(value).collect()
    });
    rows.expect("rows")
        .map(|row| row.expect("values"))
        .collect()
}

#[test]
fn a_table_that_is_made_anew_keeps_every_value_and_those_who_refer_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = full_of_schema_20(&folder);
    let tables = [
        "extraction",
        "attempt",
        "setback",
        "backfill_unit",
        "nightly",
    ];
    let before = tables.map(|table| values(&raw, table));
    let full = before[0].last().expect("a row");
    assert!(
        !full
            .values()
            .any(|value| *value == rusqlite::types::Value::Null)
    );

    let ledger = open(&folder);

    assert_eq!(tables.map(|table| values(&raw, table)), before);
    let refused = raw.execute("DELETE FROM extraction WHERE id = 70", []);
    assert!(refused.is_err(), "attempts still refer to their extraction");
    let twice = "INSERT INTO extraction (site, query, version, window_start, window_end, state, due, lane, priority,
                                         not_before, planned_at, changed_at)
                 SELECT site, query, version, window_start, window_end, 'pending', due, lane, 0, 0, 0, 0
                 FROM extraction WHERE id = 70";
    assert!(raw.execute(twice, []).is_err(), "one row for each identity");
    assert_eq!(
        ledger.health().expect("readable").faults,
        Vec::<String>::new()
    );
    let foreign: bool = ledger
        .read("look at a setting", |transaction| {
            Ok(transaction.pragma_query_value(None, "foreign_keys", |row| row.get(0))?)
        })
        .expect("readable");
    assert!(foreign, "the opened ledger holds its references");
}

#[test]
fn an_upgrade_that_finds_a_row_without_the_one_it_refers_to_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = full_of_schema_20(&folder);
    raw.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM extraction WHERE id = 70;")
        .expect("damage");
    let before = tables(&folder);

    let path = folder.path().join("ledger.sqlite");
    let error = Ledger::open(&path, Environment::Simulator).expect_err("refused");

    assert!(
        matches!(&error.kind, LedgerErrorKind::Dangling { to, .. } if to == "extraction"),
        "{error:?}"
    );
    assert_eq!(tables(&folder), before);
    let version: u32 = raw
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    assert_eq!(version, 20);
}

#[test]
fn processes_that_open_an_earlier_ledger_at_once_all_get_the_present_one() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(full_of_schema_20(&folder));

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let found =
                    open(&folder).extraction(&extraction("s1/visit@v2/2026-11-02..2026-11-03"));
                assert!(found.expect("read").is_some());
            });
        }
    });
}
