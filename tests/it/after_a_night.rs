//! What readers are told after each night: views, dictionary, coverage, runs, manifests and README.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use arrow::array::{AsArray, RecordBatch};
use halo_extract::objects::Store;
use serde_json::Value;

use crate::fixture::{Fixture, HEADER, RUN, SQL};
use crate::harness::{Finished, Home, project, python};
use crate::output_commands::run_day;

const META: &str = "simulator/_meta";

fn text(home: &Home, path: &str) -> String {
    let file = home.lake().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A table beside the data, as one batch.
fn table(home: &Home, name: &str) -> RecordBatch {
    let store = Store::open(&home.lake().display().to_string()).expect("the lake");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let batches = runtime
        .block_on(store.read_batches(&format!("{META}/{name}")))
        .expect("a table");
    arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

fn texts(table: &RecordBatch, column: &str) -> Vec<String> {
    let column = table.column_by_name(column).expect("the column");
    let values = column.as_string::<i32>().iter();
    values
        .map(|value| value.unwrap_or("null").to_owned())
        .collect()
}

fn manifests(home: &Home) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    walk(&home.lake().join(META).join("manifests"), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn a_run_leaves_everything_that_a_reader_needs() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&RUN).succeeded();

    assert!(text(&home, "README.md").contains("visits@v1"));
    let views = text(&home, &format!("{META}/views/duckdb.sql"));
    assert!(
        views.contains("CREATE OR REPLACE VIEW visits_latest"),
        "{views}"
    );
    for other in ["spark.sql", "trino.sql", "power_query.pq"] {
        assert!(text(&home, &format!("{META}/views/{other}")).contains("visits"));
    }
    let dictionary: Value =
        serde_json::from_str(&text(&home, &format!("{META}/dictionary.json"))).expect("JSON");
    assert_eq!(dictionary["queries"][0]["query"], "visits");
    assert!(text(&home, &format!("{META}/dictionary.md")).contains("visits"));
    let runs = table(&home, "runs.parquet");
    assert_eq!(texts(&runs, "outcome"), ["succeeded"]);
    let rows = runs.column_by_name("rows").expect("rows");
    assert_eq!(
        rows.as_primitive::<arrow::datatypes::Int64Type>().values(),
        &[3]
    );
}

#[test]
fn a_manifest_lists_what_a_night_published_with_its_digests() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    run_day(&home, 0).succeeded();
    run_day(&home, 1).succeeded();

    let [manifest] = manifests(&home)
        .try_into()
        .expect("one site, query and night");

    let told: Value =
        serde_json::from_str(&fs::read_to_string(manifest).expect("text")).expect("JSON");
    let listed = home
        .run(&["output", "list", "--output", "json"])
        .succeeded()
        .json();
    let objects = told["objects"].as_array().expect("objects");
    assert_eq!(objects.len(), 2);
    for (object, recorded) in objects.iter().zip(listed.as_array().expect("rows")) {
        for key in ["path", "size_bytes", "rows", "sha256", "window"] {
            assert_eq!(object[key], recorded[key], "{key}");
        }
        assert_eq!(object["proof"]["declared"], object["rows"]);
    }
}

#[test]
fn every_manifest_is_in_the_form_that_the_docs_publish() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let Some(python) = python() else {
        return;
    };
    run_day(&home, 0).succeeded();
    let [manifest] = manifests(&home).try_into().expect("one");
    let text = fs::read_to_string(&manifest).expect("text");
    let broken = home.path().join("broken.json");
    fs::write(&broken, text.replace("\"sha256\"", "\"sha255\"")).expect("written");

    let schema = project().join("docs/manifest.schema.json");
    let valid = |file: &Path| {
        let output = Command::new(&python)
            .arg(project().join("tests/it/valid_against.py"))
            .args([&schema, file])
            .output()
            .expect("python runs");
        Finished::of(output).succeeded()
    };

    assert_eq!(valid(&manifest).stdout.trim(), "1", "{text}");
    let told = valid(&broken);
    assert_eq!(told.stdout.trim(), "0");
    assert!(told.stderr.contains("sha256"), "{}", told.stderr);
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let same = [
        "README.md",
        "simulator/_meta/views/duckdb.sql",
        "simulator/_meta/dictionary.md",
    ];
    let written = |path: &str| -> SystemTime {
        let meta = fs::metadata(home.lake().join(path)).expect("there");
        meta.modified().expect("a time")
    };
    let before: Vec<SystemTime> = same.iter().map(|path| written(path)).collect();

    home.run(&["output", "views"]).succeeded();

    let after: Vec<SystemTime> = same.iter().map(|path| written(path)).collect();
    assert_eq!(before, after);
}

#[test]
fn the_coverage_tells_each_day_that_was_asked_for_and_why_one_is_missing() {
    let fixture = Fixture::new();
    fixture.query(
        "absent",
        HEADER,
        &SQL.replace("FROM visits", "FROM not_there"),
    );
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    // Yesterday and the day before, whatever today is.
    let today = chrono::Utc::now()
        .with_timezone(&chrono_tz::Australia::Sydney)
        .date_naive();
    let (from, to) = (
        (today - chrono::Days::new(2)).to_string(),
        today.to_string(),
    );

    home.run(&["run", "--from", &from, "--to", &to])
        .failed(3, &["not_there"]);

    let coverage = table(&home, "coverage.parquet");
    assert_eq!(
        texts(&coverage, "query"),
        ["absent", "absent", "visits", "visits"]
    );
    let arrived = coverage.column_by_name("arrived").expect("a flag");
    let arrived: Vec<Option<bool>> = arrived.as_boolean().iter().collect();
    assert_eq!(arrived, [Some(false), Some(false), Some(true), Some(true)]);
    assert_eq!(
        texts(&coverage, "reason"),
        ["failed (sql)", "failed (sql)", "null", "null"]
    );
}

#[test]
fn a_lake_that_cannot_be_told_says_that_the_objects_are_published() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    fs::create_dir_all(home.lake().join("simulator/_meta")).expect("made");
    fs::write(
        home.lake().join("simulator/_meta/views"),
        "a file in the way",
    )
    .expect("written");

    home.run(&RUN).failed(
        69,
        &["the objects are published", "halo-extract output views"],
    );

    assert_eq!(home.objects().len(), 1);
    fs::remove_file(home.lake().join("simulator/_meta/views")).expect("removed");
    home.run(&["output", "views"]).succeeded();
    assert_eq!(manifests(&home).len(), 1);
}
