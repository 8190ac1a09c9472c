//! How objects leave: snapshots expire, and a practice that has left is forgotten, whatever happens on the way.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::Digest;

use crate::fixture::Fixture;
use crate::harness::{Finished, Home, Simulator, Stopped};
use crate::resume::{until, within_a_second};
use crate::site_stories::Story;

/// A snapshot of the same table.
const SNAPSHOT: &str = "/*---
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

/// The incremental query alone: what day a snapshot is of would depend on the day of the test.
const RUN: [&str; 7] = [
    "run",
    "--query",
    "visits",
    "--from",
    "2026-11-01",
    "--to",
    "2026-12-01",
];

const DAYS: [&str; 4] = ["2024-01-10", "2024-01-20", "2024-01-31", "2024-02-10"];

fn with_snapshots(simulator: &Simulator, fixture: &Fixture) -> Home {
    let home = fixture.home(simulator);
    for day in DAYS {
        home.run(&["run", "--query", "roster", "--snapshot-date", day])
            .succeeded();
    }
    home
}

fn roster() -> Fixture {
    let fixture = Fixture::new();
    fixture.query("roster", SNAPSHOT, "");
    fixture
}

fn dates(home: &Home) -> Vec<String> {
    let dates = home.objects().into_iter().map(|path| {
        let text = path.to_string_lossy().into_owned();
        let date = text.split("date=").nth(1).expect("a partition");
        date[..10].to_owned()
    });
    dates.collect()
}

fn verified(home: &Home) {
    home.run(&["output", "verify"]).succeeded();
}

fn audit(home: &Home) -> String {
    home.run(&["audit", "tail", "--output", "jsonl"])
        .succeeded()
        .stdout
}

#[test]
fn snapshots_that_have_served_are_listed_first_and_go_when_it_is_said() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = with_snapshots(&simulator, &fixture);
    home.run(&RUN).succeeded();
    let before = home.objects();

    let kept = home
        .run(&["output", "expire", "--output", "json"])
        .succeeded();
    assert_eq!(
        kept.json(),
        serde_json::json!([]),
        "by default all are kept"
    );
    let plan = ["output", "expire", "--keep-days", "30", "--output", "json"];
    let planned = home.run(&plan).failed(2, &["nothing was removed", "--yes"]);

    // The last of January and the newest stay; the incremental query is not touched.
    let windows: Vec<Value> = planned
        .json()
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["window"].clone())
        .collect();
    assert_eq!(
        windows,
        ["2024-01-10..2024-01-11", "2024-01-20..2024-01-21"]
    );
    assert_eq!(home.objects(), before);
    home.run(&["output", "expire", "--keep-days", "30", "--yes"])
        .succeeded();
    assert_eq!(dates(&home), ["2024-01-31", "2024-02-10", "2026-11-01"]);
    verified(&home);
    assert!(audit(&home).contains("\"expire\""), "{}", audit(&home));
    home.run(&["output", "expire", "--keep-days", "30"])
        .succeeded();
}

#[test]
fn the_retention_of_a_query_is_a_setting() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = with_snapshots(&simulator, &fixture);

    let plan = |kept: &str| -> Finished {
        let mut command = home.command(&["output", "expire", "--output", "json"]);
        command.env("HALO_EXTRACT__LAKE__KEEP_SNAPSHOTS", kept);
        Finished::of(command.output().expect("the program runs"))
    };

    assert_eq!(
        plan("30, roster all").succeeded().json(),
        serde_json::json!([])
    );
    let rows = plan("all, roster 30").failed(2, &[]).json();
    assert_eq!(rows.as_array().expect("rows").len(), 2);
    assert_eq!(plan("30").failed(2, &[]).json(), rows);
    plan("some").failed(78, &["lake.keep_snapshots", "400, patient 30"]);
}

#[test]
fn an_expiry_that_was_killed_is_finished_by_the_next_call() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = with_snapshots(&simulator, &fixture);

    let mut killed = home.command(&["output", "expire", "--keep-days", "30", "--yes"]);
    killed.env("HALO_EXTRACT_FAIL_POINT", "after objects were marked");
    let code = killed.status().expect("runs").code();

    assert_eq!(code, Some(99));
    assert_eq!(home.objects().len(), 4, "marked, not removed");
    home.run(&["output", "expire", "--keep-days", "30", "--yes"])
        .succeeded();
    assert_eq!(dates(&home), ["2024-01-31", "2024-02-10"]);
    verified(&home);
}

#[test]
fn a_snapshot_taken_again_while_the_old_one_is_being_removed_stays() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = with_snapshots(&simulator, &fixture);
    let again = [
        "run",
        "--query",
        "roster",
        "--snapshot-date",
        DAYS[0],
        "--again",
    ];
    let mut taking = Stopped::start(&home, &again, "before a claim");
    until("the run wants to claim", || taking.is_there());
    let expire = ["output", "expire", "--keep-days", "30", "--yes"];
    let expiring = Stopped::start(&home, &expire, "before a removal");
    until("two snapshots are about to be removed", || {
        expiring.is_there()
    });

    taking.go_on();
    // It waits for its turn. If it did not, it would have published by now.
    within_a_second(|| taking.has_ended());
    assert_eq!(home.objects().len(), DAYS.len());
    expiring.go_on();

    expiring.ended().succeeded();
    taking.ended().succeeded();
    assert_eq!(dates(&home), [DAYS[0], DAYS[2], DAYS[3]]);
    verified(&home);
}

#[test]
fn a_site_that_is_not_withdrawn_is_not_forgotten() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();

    home.run(&["output", "forget", "s40001", "--reason", "left", "--yes"])
        .failed(
            2,
            &["s40001 is active", "halo-extract site withdraw s40001"],
        );

    assert_eq!(home.objects().len(), 1);
}

fn withdrawn(simulator: &Simulator, fixture: &Fixture) -> Home {
    let home = with_snapshots(simulator, fixture);
    home.run(&RUN).succeeded();
    // Somebody's file beside ours, and one of ours that the ledger does not know.
    let object = home.objects().pop().expect("an object");
    fs::write(object.with_file_name("notes.txt"), "somebody's").expect("written");
    home.run(&["site", "withdraw", "s40001", "--reason", "left"])
        .succeeded();
    home
}

const FORGET: [&str; 8] = [
    "output",
    "forget",
    "s40001",
    "--reason",
    "the practice left",
    "--yes",
    "--output",
    "json",
];

/// Nothing of the site is left but the receipt, and that tells what was there.
fn assert_forgotten(home: &Home, done: &Value, bytes: &[(String, Vec<u8>)]) {
    assert_eq!(home.objects(), [] as [std::path::PathBuf; 0]);
    let receipt = home
        .lake()
        .join(done[0]["receipt"].as_str().expect("a path"));
    let text = fs::read(&receipt).expect("the receipt");
    assert_eq!(done[0]["receipt_sha256"], hex(&text));
    let told: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(told["reason"], "the practice left");
    let objects = told["objects"].as_array().expect("objects");
    let found: Vec<(&str, &str)> = objects
        .iter()
        .map(|it| {
            let (path, digest) = (it["path"].as_str(), it["sha256"].as_str());
            (path.expect("a path"), digest.expect("a digest"))
        })
        .collect();
    let expected: Vec<(String, String)> = bytes
        .iter()
        .map(|(path, bytes)| (path.clone(), hex(bytes)))
        .collect();
    let expected: Vec<(&str, &str)> = expected
        .iter()
        .map(|(path, digest)| (path.as_str(), digest.as_str()))
        .collect();
    assert_eq!(found, expected);
    verified(home);
    let mut traces = Vec::new();
    collect(&home.lake(), "s40001", &mut traces);
    traces.retain(|path| {
        !path.ends_with(receipt.file_name().expect("a name").to_str().expect("text"))
    });
    assert_eq!(traces, [""; 0], "no file's name or text tells of the site");
    assert!(audit(home).contains(&hex(&text)), "{}", audit(home));
}

fn hex(bytes: &[u8]) -> String {
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Files below `folder` whose path or bytes hold `needle`.
fn collect(folder: &Path, needle: &str, found: &mut Vec<String>) {
    for path in fs::read_dir(folder)
        .expect("a folder")
        .map(|it| it.expect("an entry").path())
    {
        if path.is_dir() {
            collect(&path, needle, found);
            continue;
        }
        let bytes = fs::read(&path).expect("a file");
        let text = path.to_string_lossy().into_owned();
        if text.contains(needle)
            || bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        {
            found.push(text);
        }
    }
}

fn contents(home: &Home) -> Vec<(String, Vec<u8>)> {
    let contents = home.objects().into_iter().map(|path| {
        let below = path.strip_prefix(home.lake()).expect("in the lake");
        let below = below.to_string_lossy().replace('\\', "/");
        (below, fs::read(&path).expect("read"))
    });
    contents.collect()
}

#[test]
fn a_withdrawn_site_is_forgotten_and_only_a_receipt_stays() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = withdrawn(&simulator, &fixture);
    let before = contents(&home);

    let planned = home
        .run(&[
            "output", "forget", "s40001", "--reason", "left", "--output", "json",
        ])
        .failed(2, &["nothing was removed", "6 objects"]);
    assert_eq!(planned.json().as_array().expect("rows").len(), before.len());
    assert_eq!(contents(&home), before);
    let done = home.run(&FORGET).succeeded().json();

    assert_eq!(done[0]["objects"], before.len());
    assert_forgotten(&home, &done, &before);
}

#[test]
fn a_forgetting_that_was_killed_anywhere_is_finished_by_the_next_call() {
    for place in [
        "after a forgetting was written down",
        "after a removal",
        "after a receipt was written",
    ] {
        let fixture = roster();
        let simulator = fixture.simulator(&[]);
        let home = withdrawn(&simulator, &fixture);
        let before = contents(&home);

        let mut killed = home.command(&FORGET);
        killed.env("HALO_EXTRACT_FAIL_POINT", place);
        assert_eq!(killed.status().expect("runs").code(), Some(99), "{place}");
        home.run(&["output", "forget", "s40001", "--reason", "again"])
            .failed(2, &["is half done"]);
        let done = home.run(&FORGET).succeeded().json();

        assert_forgotten(&home, &done, &before);
    }
}

/// Lets a command come to a place, which `is_there` sees, and ends it there by kill -9.
fn killed_at(home: &Home, arguments: &[&str], place: &str, is_there: impl Fn() -> bool) {
    let mut command = home.command(arguments);
    command.env("HALO_EXTRACT_FAIL_POINT", format!("{place}, waiting"));
    let mut process = command.spawn().expect("starts");
    until(place, is_there);
    process.kill().expect("kill -9");
    process.wait().expect("ends");
}

#[test]
fn a_practice_withdraws_and_its_removal_survives_kill_9_half_way() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = with_snapshots(&simulator, &fixture);
    home.run(&RUN).succeeded();
    let before = contents(&home);
    let mut story = Story::new(&simulator, &home);
    let forget = [
        "output",
        "forget",
        "--site",
        "s40001",
        "--reason",
        "the practice left",
    ];
    let for_good: Vec<&str> = forget.into_iter().chain(["--yes"]).collect();

    story
        .types(&forget)
        .failed(2, &["s40001 is active", "site withdraw s40001"]);
    story
        .types(&[
            "site",
            "withdraw",
            "s40001",
            "--reason",
            "the practice left",
        ])
        .succeeded();
    story.types(&forget).failed(2, &["5 objects would go"]);
    killed_at(
        &home,
        &for_good,
        "after a forgetting was written down",
        || audit(&home).contains("objects to forget"),
    );
    assert_eq!(
        contents(&home),
        before,
        "it is written down, and all is there"
    );
    story.then("the same command with --yes, killed by kill -9 once it was written down");
    story.types(&forget).failed(2, &["is half done"]);
    story.then("again with --yes, killed by kill -9 among the removals");
    killed_at(&home, &for_good, "after a removal", || {
        home.objects().len() < before.len()
    });
    let told = story.types(&for_good).succeeded().stdout;
    story.types(&["site", "show", "s40001"]).succeeded();
    story.types(&["audit", "tail", "-n", "3"]).succeeded();
    story.types(&["audit", "verify"]).succeeded();

    let receipt = told
        .split_whitespace()
        .find(|word| word.contains("_meta/receipts/"))
        .expect("the receipt's path");
    let bytes = fs::read(home.lake().join(receipt)).expect("the receipt");
    let done = serde_json::json!([{ "receipt": receipt, "receipt_sha256": hex(&bytes) }]);
    assert_forgotten(&home, &done, &before);
    story.ends("site_withdrawal");
}

#[test]
fn a_practice_that_comes_back_is_extracted_anew() {
    let fixture = roster();
    let simulator = fixture.simulator(&[]);
    let home = withdrawn(&simulator, &fixture);
    home.run(&FORGET).succeeded();

    home.pair_all(&simulator);
    home.run(&RUN).succeeded();

    assert!(
        home.objects()
            .iter()
            .any(|path| path.to_string_lossy().contains("visits"))
    );
    verified(&home);
}
