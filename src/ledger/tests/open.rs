use std::error::Error;

use rusqlite::Connection;

use super::*;
use crate::ledger::LedgerErrorKind;

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("ledger.sqlite")
}

fn refusal(folder: &TempDir, environment: Environment) -> LedgerErrorKind {
    Ledger::open(&file(folder), environment)
        .expect_err("a refusal")
        .kind
}

#[test]
fn a_missing_ledger_is_made_with_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data").join("ledger.sqlite");

    let ledger = Ledger::open(&path, Environment::Production).expect("a new ledger");

    assert_eq!(ledger.sites().expect("readable"), []);
    assert!(path.exists());
}

#[test]
fn opening_again_changes_nothing() {
    let home = Home::with_sites().after_a_crash();

    assert_eq!(
        home.ledger.sites().expect("readable"),
        [site("s1"), site("s2")]
    );
}

#[test]
fn a_ledger_of_the_first_schema_is_brought_up_to_date_with_what_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = Connection::open(file(&folder)).expect("a database");
    raw.execute_batch(include_str!("../migrations/0001_one_night.sql"))
        .expect("the first schema");
    raw.execute_batch(
        "PRAGMA application_id = 0x48784c67; PRAGMA user_version = 1;
         INSERT INTO property VALUES ('environment', 'simulator');
         INSERT INTO site (key, pms_type, pms_id, catalogues, time_zone, groups, state)
             VALUES ('s1', 'best-practice', '1', '[]', 'Australia/Sydney', '[]', 'active');
         INSERT INTO extraction (site, query, version, window_start, window_end, state, due, lane, priority,
                 not_before, planned_at, changed_at, object_path, object_bytes, object_rows, object_sha256,
                 proof_declared, proof_pages, proof_batches, proof_footer)
             VALUES ('s1', 'visit', 1, '2026-11-18', '2026-11-19', 'succeeded', 'on-demand', 'nightly', 0,
                 0, 0, 0, 'p', 1, 3, printf('%064d', 0), 3, 3, 3, 3);",
    )
    .expect("what an earlier program wrote");
    drop(raw);

    let ledger = open(&folder);

    let extraction = "s1/visit@v1/2026-11-18..2026-11-19";
    let row = ledger.extraction(&extraction.parse().expect("an extraction"));
    let proof = row.expect("readable").expect("held").proof;
    assert_eq!(
        proof,
        Some(Proof {
            withheld: None,
            ..super::proof(3)
        })
    );
}

#[test]
fn a_ledger_of_another_environment_is_refused_by_name() {
    let Home { folder, ledger } = Home::new();
    drop(ledger);

    let kind = refusal(&folder, Environment::Production);

    let message = kind.to_string();
    assert!(
        message.contains("belongs to the simulator environment and production was asked for"),
        "{message}"
    );
    assert!(message.contains("--environment simulator"), "{message}");
}

#[test]
fn a_ledger_of_a_newer_program_is_refused_and_left_as_it_was() {
    let Home { folder, ledger } = Home::new();
    drop(ledger);
    let raw = Connection::open(file(&folder)).expect("a database");
    raw.pragma_update(None, "user_version", 999)
        .expect("a newer schema");
    drop(raw);

    let kind = refusal(&folder, Environment::Simulator);

    assert!(
        matches!(kind, LedgerErrorKind::Newer { found: 999, .. }),
        "{kind:?}"
    );
    assert!(kind.to_string().contains("run the newer program"));
    let raw = Connection::open(file(&folder)).expect("a database");
    let version: u32 = raw
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    assert_eq!(version, 999);
}

#[test]
fn a_text_file_and_the_database_of_another_program_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        file(&folder),
        "not a database, but long enough to have a header of its own",
    )
    .expect("a file");
    assert!(matches!(
        refusal(&folder, Environment::Simulator),
        LedgerErrorKind::NotALedger
    ));

    let folder = tempfile::tempdir().expect("a folder");
    let raw = Connection::open(file(&folder)).expect("a database");
    raw.execute_batch("CREATE TABLE recipe (name TEXT)")
        .expect("a table");
    drop(raw);
    assert!(matches!(
        refusal(&folder, Environment::Simulator),
        LedgerErrorKind::NotALedger
    ));
}

#[test]
fn a_path_that_cannot_be_opened_says_what_to_check() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(file(&folder)).expect("a folder in the file's place");

    let error = Ledger::open(&file(&folder), Environment::Simulator).expect_err("a refusal");

    assert!(
        error
            .to_string()
            .starts_with("could not open the ledger (ledger "),
        "{error}"
    );
    let kind = error.source().expect("a reason").to_string();
    assert_eq!(
        kind,
        "the file cannot be opened · check --home and the permissions of file and folder"
    );
}

#[test]
fn a_damaged_ledger_says_so() {
    let Home { folder, ledger } = Home::with_sites();
    drop(ledger);
    let mut bytes = std::fs::read(file(&folder)).expect("the file");
    bytes[4096..].fill(0xa5);
    std::fs::write(file(&folder), bytes).expect("the damage");

    let kind = match Ledger::open(&file(&folder), Environment::Simulator) {
        Ok(ledger) => ledger.sites().expect_err("damage").kind,
        Err(error) => error.kind,
    };

    assert!(matches!(kind, LedgerErrorKind::Corrupt(_)), "{kind:?}");
}

#[test]
fn two_processes_share_one_file() {
    let home = Home::with_sites();
    let other = open(&home.folder);
    home.plan(&["s1/visit@v1/2026-11-18..2026-11-19"]);

    assert!(other.claim(&request("02:00")).expect("a ledger").is_some());
    assert_eq!(home.claim("02:00"), None);
}

#[test]
fn a_ledger_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<Ledger>();
}

#[test]
fn a_whole_ledger_tells_its_schema_and_a_broken_rule_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(&folder);
    let health = ledger.health().expect("readable");
    assert_eq!((health.schema, health.faults), (known_schema(), vec![]));

    let raw = Connection::open(file(&folder)).expect("a database");
    raw.execute_batch(
        "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;
         INSERT INTO attempt (extraction, number, worker, started_at) VALUES (1, 0, 'w', 0);",
    )
    .expect("what no program of ours writes");

    let faults = ledger.health().expect("readable").faults;
    assert_eq!(faults, ["CHECK constraint failed in attempt"]);
}

fn known_schema() -> u32 {
    crate::ledger::schema::known()
}
