//! The ledger on its way to another machine, and grown old.

use crate::fixture::{Fixture, RUN, text};
use crate::harness::{Finished, Home, Simulator};
use crate::resume::{received, submissions, until};

/// A command of `home` with the ledger and spool of another folder; the lake stays.
fn at_another_home(home: &Home, folder: &std::path::Path, arguments: &[&str]) -> Finished {
    let mut command = home.command(arguments);
    command
        .env("HALO_EXTRACT__HOME", folder)
        .env("HALO_EXTRACT__STORAGE", home.lake());
    Finished::of(command.output().expect("runs"))
}

#[test]
fn a_ledger_taken_to_another_machine_goes_on_with_the_query_that_was_at_work() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--execute-ms", "3000"]);
    let home = fixture.home(&simulator);
    let mut run = home.command(&RUN).spawn().expect("starts");
    until("the query is looked at", || {
        received(&simulator, "status") >= 1
    });
    run.kill().expect("killed");
    run.wait().expect("gone");
    let other = tempfile::tempdir().expect("a folder");
    let file = other.path().join("moved.sqlite");
    let new = other.path().join("home");

    let exported = home.run(&["state", "export", text(&file)]).succeeded();
    assert!(
        exported.stderr.contains("halo-extract state import"),
        "{exported:?}"
    );
    let imported = at_another_home(&home, &new, &["state", "import", text(&file)]).succeeded();
    assert_eq!(imported.json()["claims_given_back"], 1);
    let finished = at_another_home(&home, &new, &RUN).succeeded();

    assert_eq!(finished.json()[0]["state"], "succeeded");
    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn a_home_that_is_in_use_takes_no_import_and_says_what_is_there() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let file = home.path().join("moved.sqlite");
    home.run(&["state", "export", text(&file)]).succeeded();

    home.run(&["state", "import", text(&file)])
        .failed(1, &["there is a ledger in this home already", "--home"]);
    home.run(&["state", "export", text(&file)])
        .failed(1, &["moved.sqlite", "does not exist yet"]);

    let other = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(other.path().join("spool")).expect("made");
    at_another_home(&home, other.path(), &["state", "import", text(&file)])
        .failed(2, &["it has spool", "next:"]);
}

#[test]
fn a_home_without_a_ledger_has_nothing_to_export() {
    let simulator = Simulator::start(&["--practices", "1", "--patients", "1"]);
    let home = Home::new(&simulator, &Fixture::new().queries());

    home.run(&["state", "export", "moved.sqlite"])
        .failed(1, &["there is no ledger in"]);

    assert!(!home.path().join("ledger.sqlite").exists());
}

#[test]
fn compacting_counts_first_when_asked_and_refuses_an_age_that_the_budget_needs() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let ledger = rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("the ledger");
    let year = 365 * 24 * 3_600_000_i64;
    ledger
        .execute("UPDATE attempt SET ended_at = ended_at - ?1", [year])
        .expect("a year passes");

    home.run(&["state", "compact", "--older-than", "7 days"])
        .failed(2, &["at least `32 days`"]);
    let counted = home
        .run(&["state", "compact", "--dry-run"])
        .succeeded()
        .json();
    let compacted = home
        .run(&["state", "compact", "--shrink"])
        .succeeded()
        .json();
    let again = home.run(&["state", "compact"]).succeeded().json();

    assert_eq!(
        (&counted["attempts"], &counted["compacted"]),
        (&1.into(), &false.into())
    );
    assert_eq!(
        (&compacted["attempts"], &compacted["compacted"]),
        (&1.into(), &true.into())
    );
    assert_eq!(again["attempts"], 0);
    // What is published stays published.
    home.run(&RUN).succeeded();
    assert_eq!(submissions(&simulator), 1);
}
