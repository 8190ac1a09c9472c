//! `output reconcile`: the practices' own counts against what has arrived.

use chrono::Utc;

use crate::fixture::Fixture;
use crate::harness::{Finished, Home, Simulator, project};
use crate::snapshot::matches_snapshot;

/// Three visits of January 2024.
const ROWS: &str = "id,seen,weight,note,updated
1,2024-01-02T09:30:00,71.50,first,
2,2024-01-15T10:00:00,,,
3,2024-01-31T11:15:00,80.25,,
";

/// A control of the one table. Its `total_rows` are those from the snapshot's day on, so that a later night has fewer.
const CONTROL: &str = "/*---
purpose   = \"Counts of the test practice.\"
owner     = \"tests\"
pms       = \"best-practice\"
mode      = \"snapshot\"
key       = [\"table_name\"]
opt_out   = \"The table has no patients.\"

[columns]
table_name   = { type = \"varchar(20) not null\", class = \"operational\" }
brought_by   = { type = \"varchar(20)\", class = \"operational\" }
total_rows   = { type = \"int not null\", class = \"operational\" }
largest_key  = { type = \"int\", class = \"operational\" }
last_changed = { type = \"datetime\", class = \"operational\" }
due_rows     = { type = \"int\", class = \"operational\" }
---*/
SELECT
    CAST('VISITS' AS varchar(20)) AS table_name,
    CAST('visits' AS varchar(20)) AS brought_by,
    SUM(CASE WHEN v.seen >= @snapshot_date THEN 1 ELSE 0 END) AS total_rows,
    MAX(v.id) AS largest_key,
    MAX(v.seen) AS last_changed,
    SUM(CASE WHEN v.seen < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM visits v
";

fn practice() -> (Fixture, Simulator, Home) {
    let fixture = Fixture::with_rows(ROWS);
    fixture.query("control", CONTROL, "");
    let simulator = fixture.simulator(&[]);
    // Whatever the time of day at which tests run.
    let home = fixture
        .home(&simulator)
        .with("HALO_EXTRACT__SCHEDULE__QUIET_HOURS", "00:00-00:00");
    (fixture, simulator, home)
}

fn count(home: &Home, night: &str) {
    home.run(&["run", "--query", "control", "--snapshot-date", night])
        .succeeded();
}

fn bring(home: &Home, from: &str, to: &str) {
    home.run(&["run", "--query", "visits", "--from", from, "--to", to])
        .succeeded();
}

fn reconcile(home: &Home) -> Finished {
    home.run(&["output", "reconcile"])
}

#[test]
fn what_is_there_is_compared_and_nothing_is_missing() {
    let (_fixture, _simulator, home) = practice();
    let uncounted = ["nothing could be compared", "not counted yet", "s40001"];
    reconcile(&home).failed(3, &uncounted);
    bring(&home, "2024-01-01", "2024-01-20");
    // Overlapping windows bring a row twice; it is one row all the same.
    bring(&home, "2024-01-10", "2024-02-01");
    count(&home, "2024-02-01");

    let agreed = reconcile(&home).succeeded();

    assert!(
        agreed
            .stderr
            .contains("compared 3 rows of 1 sites: nothing is missing"),
        "{agreed:#?}"
    );
    let json = home.run(&["output", "reconcile", "--output", "json"]);
    assert_eq!(json.succeeded().json(), serde_json::json!([]));
}

#[test]
fn rows_that_no_object_holds_are_told_with_the_command_that_asks_for_them() {
    let (_fixture, _simulator, home) = practice();
    bring(&home, "2024-01-10", "2024-02-01");
    count(&home, "2024-02-01");

    let missing = reconcile(&home);

    matches_snapshot("reconcile_missing", &missing.told(&home));
    let json = home.run(&[
        "output",
        "reconcile",
        "--site",
        "s40001",
        "--output",
        "json",
    ]);
    let told = json.failed(1, &[]).json();
    assert_eq!(told[0]["loss"], "not arrived");
    assert_eq!(
        told[0]["what"],
        "1 of 3 rows never arrived; its objects begin with 2024-01-10"
    );
    let next = told[0]["next"].as_str().expect("a text");
    let (_, command) = next.split_once(": halo-extract ").expect("a command");
    let (command, _) = command.split_once(';').expect("its end");
    home.run(&command.split(' ').collect::<Vec<_>>())
        .succeeded();
    home.run(&["backfill", "start", "1"]).succeeded();
    reconcile(&home).succeeded();
}

#[test]
fn nights_that_have_not_come_are_told_apart_from_rows_that_are_lost() {
    let (_fixture, _simulator, home) = practice();
    bring(&home, "2024-01-01", "2024-01-20");
    count(&home, "2024-02-01");

    let behind = reconcile(&home);

    matches_snapshot("reconcile_behind", &behind.told(&home));
    assert_eq!(behind.code, Some(1));
}

#[test]
fn a_table_with_fewer_rows_than_the_night_before_is_told() {
    let (_fixture, _simulator, home) = practice();
    bring(&home, "2024-01-01", "2024-02-01");
    count(&home, "2024-01-31");
    reconcile(&home).succeeded();
    count(&home, "2024-02-01");

    let fewer = reconcile(&home);

    matches_snapshot("reconcile_fewer", &fewer.told(&home));
    assert_eq!(fewer.code, Some(1));
}

#[test]
fn the_queries_that_ship_bring_everything_that_a_practice_has_and_a_lost_window_shows() {
    let simulator = Simulator::start(&["--practices", "1", "--patients", "120", "--seed", "4"]);
    let home = Home::new(&simulator, &project().join("queries"));
    home.pair_all(&simulator);
    let zone: chrono_tz::Tz = simulator.sites()[0]["time_zone"]
        .as_str()
        .and_then(|zone| zone.parse().ok())
        .expect("a zone");
    let today = Utc::now().with_timezone(&zone).date_naive();
    let (year_ago, today) = (
        (today - chrono::Days::new(365)).to_string(),
        today.to_string(),
    );

    home.run(&["run", "--from", &year_ago, "--to", &today])
        .succeeded();
    let recent = home.run(&["output", "reconcile", "--output", "json"]);
    let told = recent.failed(1, &[]).json();
    home.run(&["run", "--from", "1990-01-01", "--to", &year_ago])
        .succeeded();
    let whole = reconcile(&home).succeeded();

    let missing: Vec<&str> = told
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["query"].as_str().expect("a query"))
        .collect();
    for query in [
        "visit",
        "observation",
        "service",
        "patient",
        "social_history",
    ] {
        assert!(missing.contains(&query), "{query}: {missing:?}");
    }
    assert!(whole.stderr.contains("nothing is missing"), "{whole:#?}");
}
