//! `output`: what lies in storage is listed and held against the ledger.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixture::{Fixture, RUN};
use crate::harness::{Finished, Home};

const DAYS: [&str; 3] = ["2026-11-01", "2026-11-02", "2026-11-03"];

/// Runs the query of the fixture for the day `DAYS[index]`.
pub(crate) fn run_day(home: &Home, index: usize) -> Finished {
    let after = format!("2026-11-{:02}", index + 2);
    home.run(&["run", "--from", DAYS[index], "--to", &after])
}

fn verify(home: &Home, more: &[&str]) -> Finished {
    let mut arguments = vec!["output", "verify", "--output", "json"];
    arguments.extend(more);
    home.run(&arguments)
}

fn data(home: &Home) -> Vec<PathBuf> {
    let mut objects = home.objects();
    objects.retain(|path| path.extension().is_some_and(|it| it == "parquet"));
    objects.retain(|path| !path.to_string_lossy().contains("_meta"));
    objects
}

fn below(home: &Home, path: &Path) -> String {
    let path = path.strip_prefix(home.lake()).expect("in the lake");
    path.to_string_lossy().replace('\\', "/")
}

#[test]
fn published_objects_are_listed_with_their_digests() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for index in 0..2 {
        run_day(&home, index).succeeded();
    }

    let listed = home
        .run(&["output", "list", "--output", "json"])
        .succeeded()
        .json();

    let rows = listed.as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["query"], "visits@v1");
    assert_eq!(rows[0]["window"], "2026-11-01..2026-11-02");
    assert_eq!(rows[0]["rows"], 1);
    for row in rows {
        use sha2::Digest;
        let path = home.lake().join(row["path"].as_str().expect("a path"));
        let bytes = fs::read(path).expect("the object");
        let digest: String = sha2::Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(row["sha256"], Value::String(digest));
        assert_eq!(row["size_bytes"], bytes.len());
    }
    let table = home.run(&["output", "list"]).succeeded().stdout;
    assert!(table.starts_with("SITE"), "{table}");
    for nothing in [["--site", "s9"], ["--query", "other"]] {
        let mut arguments = vec!["output", "list", "--output", "jsonl"];
        arguments.extend(nothing);
        assert_eq!(home.run(&arguments).succeeded().stdout, "");
    }
}

#[test]
fn a_lake_as_it_was_published_is_right_in_every_depth() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for index in 0..3 {
        run_day(&home, index).succeeded();
    }

    for depth in ["listing", "footer", "bytes", "rows"] {
        let finished = verify(&home, &["--depth", depth]).succeeded();
        assert_eq!(finished.json(), json!([]));
        assert!(
            finished.stderr.contains("looked into 3 of 3 objects")
                && finished.stderr.contains("objects a second"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn what_is_missing_foreign_unrecorded_or_altered_is_listed_and_fails() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for index in 0..3 {
        run_day(&home, index).succeeded();
    }
    let [missing, altered, copied] = data(&home).try_into().expect("three objects");
    let unrecorded = PathBuf::from(copied.to_string_lossy().replace(DAYS[2], "2026-12-24"));
    let unrecorded = PathBuf::from(
        unrecorded
            .to_string_lossy()
            .replace("2026-11-04", "2026-12-25"),
    );
    fs::create_dir_all(unrecorded.parent().expect("a folder")).expect("made");
    fs::copy(&copied, &unrecorded).expect("copied");
    fs::remove_file(&missing).expect("removed");
    let mut bytes = fs::read(&altered).expect("the object");
    // Behind the magic number: a page, not the footer.
    bytes[40] ^= 1;
    fs::write(&altered, bytes).expect("altered");
    let foreign = copied.with_file_name("part-0.parquet");
    fs::write(&foreign, "somebody else's").expect("written");

    let finished = verify(&home, &[]).failed(1, &["4 are wrong"]);

    let kind_of = |path: &Path| {
        let path = below(&home, path);
        let rows = finished.json();
        let rows = rows.as_array().expect("rows").clone();
        let row = rows.into_iter().find(|row| row["path"] == path.as_str());
        row.unwrap_or_else(|| panic!("{path} is not listed"))["wrong"].clone()
    };
    assert_eq!(kind_of(&missing), "missing");
    assert_eq!(kind_of(&altered), "altered");
    assert_eq!(kind_of(&unrecorded), "unrecorded");
    assert_eq!(kind_of(&foreign), "foreign");
    assert_eq!(finished.json().as_array().expect("rows").len(), 4);
    // One byte of a page does not show in a listing; what is not there does.
    let cheap = verify(&home, &["--depth", "listing"]).failed(1, &["3 are wrong"]);
    assert_eq!(cheap.json().as_array().expect("rows").len(), 3);
}

#[test]
fn an_object_of_an_earlier_attempt_is_stale() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let object = data(&home).pop().expect("an object");
    let earlier = fs::read(&object).expect("the object");
    let mut again = RUN.to_vec();
    again.push("--again");
    home.run(&again).succeeded();
    fs::write(&object, earlier).expect("as it was before");

    let finished = verify(&home, &["--depth", "footer"]).failed(1, &[]).json();

    assert_eq!(finished[0]["wrong"], "stale");
    let what = finished[0]["what"].as_str().expect("a text");
    assert!(what.contains("attempt 1 wrote it"), "{what}");
}

#[test]
fn a_sample_looks_into_some_objects_and_misses_none_that_is_gone() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for index in 0..3 {
        run_day(&home, index).succeeded();
    }
    fs::remove_file(&data(&home)[1]).expect("removed");

    let finished = verify(&home, &["--sample", "0.001%"]).failed(1, &["of 2 objects"]);

    assert_eq!(finished.json()[0]["wrong"], "missing");
    verify(&home, &["--sample", "none"]).failed(2, &["`none` is not a sample"]);
}
