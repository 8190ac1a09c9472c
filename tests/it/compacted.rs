//! `output compact`: the daily objects of a month that is over become one, and no row is lost, doubled or changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;
use chrono::Datelike;
use halo_extract::objects::Store;
use serde_json::Value;

use crate::fixture::Fixture;
use crate::harness::{Finished, Home, Simulator, Stopped, project, python};
use crate::resume::{submissions, until, within_a_second};

/// Visits of six days of September 2024, which is over whatever today is, and one of October.
const ROWS: &str = "id,seen,weight,note,updated
1,2024-09-01T09:30:00,71.50,first,
2,2024-09-02T10:00:00,,\"\",
3,2024-09-02T11:15:00,80.25,,
4,2024-09-03T08:00:00,64.00,again,2024-09-05T08:00:00
6,2024-09-06T08:00:00,64.00,sixth,
7,2024-10-01T08:00:00,64.00,October,
";

const COMPACT: [&str; 4] = ["output", "compact", "--output", "json"];
const YES: [&str; 5] = ["output", "compact", "--output", "json", "--yes"];

fn practice() -> (Fixture, Simulator, Home) {
    let fixture = Fixture::with_rows(ROWS);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    (fixture, simulator, home)
}

/// Extracts one day after the other of September 2024.
fn run_days(home: &Home, days: impl IntoIterator<Item = u32>) {
    for day in days {
        run_day(home, day, &[]).succeeded();
    }
}

fn run_day(home: &Home, day: u32, more: &[&str]) -> Finished {
    let (from, to) = (
        format!("2024-09-{day:02}"),
        format!("2024-09-{:02}", day + 1),
    );
    let mut arguments = vec!["run", "--from", &from, "--to", &to];
    arguments.extend(more);
    home.run(&arguments)
}

/// A practice with the first six days of September in an object each.
fn with_days() -> (Fixture, Simulator, Home) {
    let practice = practice();
    run_days(&practice.2, 1..=6);
    practice
}

/// Every value of every row below the paths, each row as text, sorted.
fn rows_of(home: &Home, paths: &[PathBuf]) -> Vec<String> {
    let store = Store::open(&home.lake().display().to_string()).expect("the lake");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut rows = Vec::new();
    for path in paths {
        let below = path.strip_prefix(home.lake()).unwrap_or(path);
        let batches = runtime.block_on(store.read_batches(below.to_str().expect("UTF-8")));
        for batch in batches.expect("readable") {
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter().map(|column| {
                    match column.as_primitive_opt::<TimestampMicrosecondType>() {
                        Some(instants) => instants.value(row).to_string(),
                        None => array_value_to_string(column, row).expect("a value that prints"),
                    }
                });
                rows.push(values.collect::<Vec<_>>().join(" | "));
            }
        }
    }
    rows.sort();
    rows
}

fn all_rows(home: &Home) -> Vec<String> {
    rows_of(home, &home.objects())
}

fn names(home: &Home) -> Vec<String> {
    let names = home.objects().into_iter().map(|path| {
        let name = path.file_name().expect("a name");
        name.to_string_lossy().into_owned()
    });
    names.collect()
}

fn windows(planned: &Value) -> Vec<(String, u64)> {
    let rows = planned.as_array().expect("rows").iter();
    rows.map(|row| {
        let window = row["window"].as_str().expect("a window").to_owned();
        (window, row["objects"].as_u64().expect("a number"))
    })
    .collect()
}

fn killed(home: &Home, place: &str) {
    let mut command = home.command(&YES);
    command.env("HALO_EXTRACT_FAIL_POINT", place);
    let code = command.output().expect("runs").status.code();
    assert_eq!(code, Some(99), "{place}");
}

/// The paths that stand by the manifests alone: written later wins, and what is replaced no longer stands.
fn by_the_manifests(home: &Home) -> Vec<PathBuf> {
    let in_order: BTreeMap<(String, PathBuf), Value> = manifests(home)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            let manifest: Value = serde_json::from_str(&text).expect("JSON");
            let written = manifest["written_at"].as_str().expect("an instant");
            ((written.to_owned(), path), manifest)
        })
        .collect();
    let (mut standing, mut replaced) = (BTreeSet::new(), BTreeSet::new());
    for manifest in in_order.values() {
        for object in manifest["objects"].as_array().expect("objects") {
            standing.insert(home.lake().join(object["path"].as_str().expect("a path")));
            for path in object["replaces"].as_array().into_iter().flatten() {
                replaced.insert(home.lake().join(path.as_str().expect("a path")));
            }
        }
    }
    standing.difference(&replaced).cloned().collect()
}

/// Every manifest holds to the schema of the docs, and one of them says that `replaced` is replaced.
fn assert_manifests_are_in_the_form_of_the_docs(home: &Home, replaced: &str) {
    let Some(python) = python() else {
        return;
    };
    let mut found = 0;
    for path in manifests(home) {
        let valid = Command::new(&python)
            .arg(project().join("tests/it/valid_against.py"))
            .arg(project().join("docs/manifest.schema.json"))
            .arg(&path)
            .output();
        let valid = Finished::of(valid.expect("python runs")).succeeded();
        assert_eq!(valid.stdout.trim(), "1", "{}", valid.stderr);
        let text = fs::read_to_string(&path).expect("text");
        let told: Value = serde_json::from_str(&text).expect("JSON");
        for object in told["objects"].as_array().expect("objects") {
            let replaces = object["replaces"].as_array();
            found += replaces
                .into_iter()
                .flatten()
                .filter(|path| path.to_string().contains(replaced))
                .count();
        }
    }
    assert_eq!(found, 1);
}

fn manifests(home: &Home) -> Vec<PathBuf> {
    let mut folders = vec![home.lake().join("simulator/_meta/manifests")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn the_days_of_a_past_month_become_one_object_and_no_row_changes() {
    let (_fixture, simulator, home) = with_days();
    home.run(&["run", "--from", "2024-10-01", "--to", "2024-10-02"])
        .succeeded();
    let (before, files) = (all_rows(&home), names(&home));
    assert_eq!(files.len(), 7);

    let planned = home
        .run(&COMPACT)
        .failed(2, &["nothing was merged", "--yes"]);

    // October has one object only.
    let expected = [("2024-09-01..2024-09-07".to_owned(), 6)];
    assert_eq!(windows(&planned.json()), expected);
    assert_eq!(planned.json()[0]["rows"], 5);
    assert_eq!(names(&home), files, "only planned");
    let done = home.run(&YES).succeeded();
    assert!(
        done.stderr.contains("6 objects were merged into 1"),
        "{}",
        done.stderr
    );
    assert_eq!(
        names(&home),
        [
            "visits_2024-09-01_2024-09-07.parquet",
            "visits_2024-10-01_2024-10-02.parquet"
        ]
    );
    assert_eq!(
        all_rows(&home),
        before,
        "each row keeps window and time of its own extraction"
    );
    home.run(&["output", "verify"]).succeeded();
    assert_eq!(home.run(&COMPACT).succeeded().json(), serde_json::json!([]));
    assert_manifests_are_in_the_form_of_the_docs(&home, "visits_2024-09-03_2024-09-04.parquet");
    // The days are there: nobody asks for them again.
    let asked = submissions(&simulator);
    run_days(&home, 1..=6);
    assert_eq!(submissions(&simulator), asked);
    let audit = home
        .run(&["audit", "tail", "--output", "jsonl"])
        .succeeded();
    assert!(audit.stdout.contains("objects merged"), "{}", audit.stdout);
}

#[test]
fn a_missing_day_parts_a_month_in_two_and_joins_it_once_it_has_come() {
    let (_fixture, simulator, home) = practice();
    run_days(&home, [1, 2, 4, 5]);

    let parted = home.run(&YES).succeeded().json();

    let two = |window: &str| (window.to_owned(), 2);
    assert_eq!(
        windows(&parted),
        [two("2024-09-01..2024-09-03"), two("2024-09-04..2024-09-06")]
    );
    let asked = submissions(&simulator);
    run_days(&home, [3]);
    assert_eq!(
        submissions(&simulator),
        asked + 1,
        "no merged object claims the missing day"
    );
    let before = all_rows(&home);
    let joined = home.run(&YES).succeeded().json();
    assert_eq!(windows(&joined), [("2024-09-01..2024-09-06".to_owned(), 3)]);
    assert_eq!(names(&home).len(), 1);
    assert_eq!(all_rows(&home), before);
    home.run(&["output", "verify"]).succeeded();
}

#[test]
fn a_day_extracted_again_after_it_was_merged_takes_the_place_of_its_rows_at_the_next_merge() {
    let (_fixture, _simulator, home) = with_days();
    home.run(&YES).succeeded();
    let merged = all_rows(&home);

    run_day(&home, 2, &["--again"]).succeeded();

    assert_eq!(
        names(&home).len(),
        2,
        "the day has an object of its own again"
    );
    home.run(&["output", "verify"]).succeeded();
    let beside = all_rows(&home);
    assert_eq!(beside.len(), merged.len() + 2);
    let planned = home.run(&YES).succeeded().json();
    assert_eq!(
        windows(&planned),
        [("2024-09-01..2024-09-07".to_owned(), 2)]
    );
    let rows = all_rows(&home);
    assert_eq!(names(&home), ["visits_2024-09-01_2024-09-07.parquet"]);
    assert_eq!(rows.len(), merged.len());
    // Of the second day both rows are new ones; all others are those that were merged.
    let new: Vec<&String> = rows.iter().filter(|row| !merged.contains(row)).collect();
    assert_eq!(new.len(), 2);
    assert!(
        new.iter()
            .all(|row| row.contains(" | 2024-09-02 | 2024-09-03 | ")),
        "{new:?}"
    );
    home.run(&["output", "verify"]).succeeded();
}

#[test]
fn an_object_of_all_days_that_was_extracted_as_such_is_never_written_over() {
    let (_fixture, _simulator, home) = practice();
    home.run(&["run", "--from", "2024-09-01", "--to", "2024-09-04"])
        .succeeded();
    run_day(&home, 2, &["--again"]).succeeded();
    let before = names(&home);

    let planned = home.run(&COMPACT).succeeded();

    assert_eq!(planned.json(), serde_json::json!([]), "{before:?}");
}

#[test]
fn a_merge_that_was_killed_anywhere_is_ended_by_the_next_run() {
    for (place, merged) in [
        ("after a merge was noted", false),
        ("after a merged object was published", true),
        ("after a merge was recorded", true),
        ("after a removal", true),
    ] {
        let (_fixture, _simulator, home) = with_days();
        let before = all_rows(&home);

        killed(&home, place);
        // Whoever follows the manifests has each row once, whatever happened.
        assert_eq!(rows_of(&home, &by_the_manifests(&home)), before, "{place}");
        run_day(&home, 7, &[]).succeeded();

        home.run(&["output", "verify"]).succeeded();
        assert_eq!(all_rows(&home), before, "{place}: day 7 has no rows");
        let of_before = names(&home).len() - 1;
        assert_eq!(of_before, if merged { 1 } else { 6 }, "{place}");
        assert_eq!(rows_of(&home, &by_the_manifests(&home)), before, "{place}");
        home.run(&YES).succeeded();
        assert_eq!(
            names(&home),
            ["visits_2024-09-01_2024-09-08.parquet"],
            "{place}"
        );
        assert_eq!(all_rows(&home), before, "{place}");
        home.run(&["output", "verify"]).succeeded();
    }
}

#[test]
fn two_merges_of_the_same_days_at_once_lose_nothing() {
    let (_fixture, _simulator, home) = with_days();
    let before = all_rows(&home);
    let first = Stopped::start(&home, &YES, "after a merge was noted");
    until("a merge is noted", || first.is_there());

    // It waits for its turn. If it did not, it would give the first one up and merge by itself.
    let second = Stopped::start(&home, &YES, "after a merged object was published");
    within_a_second(|| second.is_there());
    first.go_on();
    let first = first.ended().succeeded();
    second.go_on();
    let second = second.ended();

    assert!(
        first.stderr.contains("6 objects were merged into 1"),
        "{}",
        first.stderr
    );
    second.failed(3, &["0 objects were merged", "was changed meanwhile"]);
    assert_eq!(names(&home), ["visits_2024-09-01_2024-09-07.parquet"]);
    assert_eq!(all_rows(&home), before);
    home.run(&["output", "verify"]).succeeded();
}

#[test]
fn a_ledger_lost_after_a_merge_is_rebuilt_from_the_merged_object() {
    let (_fixture, simulator, home) = with_days();
    home.run(&YES).succeeded();
    let asked = submissions(&simulator);
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _may_be_absent = fs::remove_file(home.path().join(name));
    }

    let rebuilt = home
        .run(&["state", "rebuild", "--from-output", "--output", "json"])
        .succeeded()
        .json();

    assert_eq!(rebuilt[0]["recorded"], 1);
    home.run(&["output", "verify"]).succeeded();
    home.pair_all(&simulator);
    run_day(&home, 7, &[]).succeeded();
    assert_eq!(submissions(&simulator), asked + 1);
    // What it was merged from is known from its footer still: a new day joins it, and one extracted again replaces its rows.
    let before = all_rows(&home);
    run_day(&home, 2, &["--again"]).succeeded();
    home.run(&YES).succeeded();
    assert_eq!(names(&home), ["visits_2024-09-01_2024-09-08.parquet"]);
    assert_eq!(all_rows(&home).len(), before.len());
    home.run(&["output", "verify"]).succeeded();
}

#[test]
fn an_altered_object_is_not_merged_and_the_command_says_so() {
    let (_fixture, _simulator, home) = with_days();
    let object = home.objects().remove(2);
    let mut bytes = fs::read(&object).expect("the object");
    // Behind the magic number: a page, not the footer.
    bytes[40] ^= 1;
    fs::write(&object, bytes).expect("altered");

    home.run(&YES).failed(
        3,
        &[
            "not merged: s40001/visits@v1/2024-09-01..2024-09-07",
            "another digest",
        ],
    );

    assert_eq!(names(&home).len(), 6);
}

#[test]
fn only_what_is_named_is_merged_and_snapshots_never() {
    let (fixture, simulator, _home) = practice();
    let snapshot = "/*---
purpose   = \"All visits of the test practice.\"
owner     = \"tests\"
pms       = \"best-practice\"
mode      = \"snapshot\"
key       = [\"id\"]
opt_out   = \"The table has no patients.\"

[columns]
id      = { type = \"int not null\", class = \"operational\" }
---*/
SELECT v.id AS id FROM visits v ORDER BY v.id
";
    fixture.query("roster", snapshot, "");
    let home = fixture.home(&simulator);
    for day in ["2024-09-01", "2024-09-02"] {
        home.run(&["run", "--query", "roster", "--snapshot-date", day])
            .succeeded();
    }
    for day in 1..=2 {
        run_day(&home, day, &["--query", "visits"]).succeeded();
    }

    for nothing in [
        ["--query", "roster"],
        ["--month", "2024-10"],
        ["--site", "s1"],
    ] {
        let mut command = COMPACT.to_vec();
        command.extend(nothing);
        assert_eq!(home.run(&command).succeeded().json(), serde_json::json!([]));
    }
    let mut of_month = COMPACT.to_vec();
    of_month.extend(["--month", "2024-09"]);
    let planned = home.run(&of_month).failed(2, &[]).json();
    assert_eq!(
        windows(&planned),
        [("2024-09-01..2024-09-03".to_owned(), 2)]
    );
    of_month[5] = "September";
    home.run(&of_month).failed(2, &["write it as `2026-10`"]);
}

#[test]
fn a_practice_is_forgotten_with_what_was_merged_of_it_also_in_the_middle_of_a_merge() {
    for place in [None, Some("after a merged object was published")] {
        let (_fixture, _simulator, home) = with_days();
        match place {
            None => drop(home.run(&YES).succeeded()),
            Some(place) => killed(&home, place),
        }
        home.run(&["site", "withdraw", "s40001", "--reason", "left"])
            .succeeded();

        home.run(&["output", "forget", "s40001", "--reason", "left", "--yes"])
            .succeeded();

        assert_eq!(names(&home), [""; 0]);
        home.run(&["output", "verify"]).succeeded();
        assert_eq!(home.run(&COMPACT).succeeded().json(), serde_json::json!([]));
    }
}

#[test]
fn what_the_coverage_tells_of_a_day_does_not_change_when_it_is_merged() {
    // Three days of the month before this one, which the coverage reaches whatever today is.
    let today = chrono::Utc::now()
        .with_timezone(&chrono_tz::Australia::Sydney)
        .date_naive();
    let first = today.with_day(1).expect("a day") - chrono::Days::new(20);
    let fixture = Fixture::with_rows(&format!(
        "id,seen,weight,note,updated\n1,{first}T09:30:00,71.50,first,\n"
    ));
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for day in first.iter_days().take(3) {
        let (from, to) = (day.to_string(), (day + chrono::Days::new(1)).to_string());
        home.run(&["run", "--from", &from, "--to", &to]).succeeded();
    }
    let told = |name: &str| fs::read(home.lake().join("simulator/_meta").join(name)).expect(name);
    let before = ["coverage.parquet", "runs.parquet"].map(&told);

    home.run(&YES).succeeded();
    home.run(&["output", "views"]).succeeded();

    assert_eq!(names(&home).len(), 1);
    assert!(before == ["coverage.parquet", "runs.parquet"].map(&told));
}
