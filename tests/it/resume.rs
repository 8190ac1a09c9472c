//! What a crash leaves behind, and that the next run ends it well without asking the practice twice.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::fixture::{Fixture, RUN, many_rows};
use crate::harness::{Home, Simulator};

#[test]
fn a_run_killed_while_the_remote_query_executes_goes_on_with_the_same_query() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--execute-ms", "3000"]);
    let home = fixture.home(&simulator);

    let mut run = home.command(&RUN).spawn().expect("starts");
    until("the query is submitted", || submissions(&simulator) == 1);
    kill(&mut run);
    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_whole(&home, &finished.json(), 3);
}

#[test]
fn a_run_killed_while_pages_are_fetched_goes_on_with_the_same_query() {
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);

    let mut run = home.command(&RUN).spawn().expect("starts");
    until("some pages are fetched", || pages_fetched(&simulator) >= 3);
    kill(&mut run);
    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_whole(&home, &finished.json(), 4_000);
}

#[test]
fn a_crash_between_publish_and_record_ends_in_the_same_object_recorded_once() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let crashed = home
        .command(&RUN)
        .env("HALO_EXTRACT_FAIL_POINT", "between publish and record")
        .output()
        .expect("runs");
    assert_eq!(crashed.status.code(), Some(99));
    let before = home.objects();
    let finished = home.run(&RUN).succeeded();

    assert_eq!(home.objects(), before);
    assert_eq!(submissions(&simulator), 1);
    assert_whole(&home, &finished.json(), 3);
}

#[test]
fn a_second_run_asks_nothing_again() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let first = home.run(&RUN).succeeded().json();
    let second = home.run(&RUN).succeeded().json();

    assert_eq!(submissions(&simulator), 1);
    assert_eq!(first[0]["path"], second[0]["path"]);
    assert_eq!(home.objects().len(), 1);
}

#[test]
fn asking_again_replaces_the_object_in_its_place() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let before = home.objects();

    let mut again = RUN.to_vec();
    again.push("--again");
    let finished = home.run(&again).succeeded();

    assert_eq!(submissions(&simulator), 2);
    assert_eq!(home.objects(), before);
    assert_whole(&home, &finished.json(), 3);
}

#[test]
fn an_empty_result_is_an_object_without_rows_but_replaces_rows_only_when_told() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let empty = home
        .run(&[
            "run",
            "--from",
            "2020-01-01",
            "--to",
            "2020-01-02",
            "--output",
            "json",
        ])
        .succeeded()
        .json();
    assert_eq!(empty[0]["rows"], 0);
    assert_eq!(
        empty[0]["proof"],
        serde_json::json!({"declared": 0, "pages": 0, "batches": 0, "footer": 0})
    );
    assert_eq!(home.objects().len(), 1);

    home.run(&RUN).succeeded();
    std::fs::write(
        fixture.data().join("visits.csv"),
        "id,seen,weight,note,updated\n",
    )
    .expect("written");
    let emptied = fixture.simulator(&[]);
    let mut command = home.command(&RUN);
    command
        .arg("--again")
        .env("HALO_EXTRACT__HALO__URL", emptied.url())
        .env("HALO_SUBSCRIPTION_KEY", emptied.key());
    let pairing = &emptied.sites()[0];
    let pair = [
        "site",
        "pair",
        "--pms-id",
        "40001",
        "--code",
        pairing["pairing_code"].as_str().expect("code"),
    ];
    let paired = home
        .command(&pair)
        .env("HALO_EXTRACT__HALO__URL", emptied.url())
        .env("HALO_SUBSCRIPTION_KEY", emptied.key())
        .status()
        .expect("runs");
    assert!(paired.success());

    crate::harness::Finished::of(command.output().expect("runs"))
        .failed(5, &["empty", "3 rows", "--allow-empty"]);
    command.arg("--allow-empty");
    let allowed = crate::harness::Finished::of(command.output().expect("runs")).succeeded();
    assert_eq!(allowed.json()[0]["rows"], 0);
}

/// Queries that the simulator was asked to run, as it counted them.
pub(crate) fn submissions(simulator: &Simulator) -> u64 {
    received(simulator, "async")
}

fn pages_fetched(simulator: &Simulator) -> u64 {
    received(simulator, "page") + received(simulator, "stream")
}

/// Requests to an endpoint over all sites.
pub(crate) fn received(simulator: &Simulator, endpoint: &str) -> u64 {
    let counters = simulator.control("counters");
    let sites = counters.as_object().expect("counters by site");
    sites
        .values()
        .filter_map(|site| site[endpoint]["received"].as_u64())
        .sum()
}

/// One published object with `rows` rows, equal to what the ledger says of it.
#[track_caller]
fn assert_whole(home: &Home, outcome: &serde_json::Value, rows: u64) {
    let outcomes = outcome.as_array().expect("outcomes");
    assert_eq!(outcomes.len(), 1, "{outcome:#}");
    let outcome = &outcomes[0];
    assert_eq!(outcome["state"], "succeeded");
    assert_eq!(outcome["rows"], rows);
    let proof =
        serde_json::json!({"declared": rows, "pages": rows, "batches": rows, "footer": rows});
    assert_eq!(outcome["proof"], proof);
    let path = home.lake().join(outcome["path"].as_str().expect("path"));
    assert_eq!(
        std::fs::metadata(&path).expect("the object").len(),
        outcome["size_bytes"]
    );
    let file = std::fs::File::open(&path).expect("opens");
    let reader = parquet::file::reader::SerializedFileReader::new(file).expect("Parquet");
    let read = parquet::file::reader::FileReader::metadata(&reader)
        .file_metadata()
        .num_rows();
    assert_eq!(read, i64::try_from(rows).expect("fits"));
    assert_eq!(home.objects().len(), 1, "{:?}", home.objects());
}

/// `kill -9`.
fn kill(process: &mut Child) {
    process.kill().expect("killed");
    process.wait().expect("gone");
}

/// Waits for something that another process does; gives up after a minute.
pub(crate) fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "waited for a minute until {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
