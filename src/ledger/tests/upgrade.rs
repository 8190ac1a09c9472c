//! Ledgers of every earlier schema, as `.dump` wrote them, brought up to date. A release whose schema is new adds the
//! dump of the one before to `schemas/`.

use rusqlite::Connection;

use super::*;
use crate::ledger::AttemptOutcome;

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
