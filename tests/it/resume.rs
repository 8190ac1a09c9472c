//! What a crash leaves behind, and that the next run ends it well without asking the practice twice.

use std::ops::Range;
use std::path::{Path, PathBuf};
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
    // A look at it tells that its id was heard and recorded.
    until("the query is looked at", || {
        received(&simulator, "status") >= 1
    });
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
fn pages_that_were_fetched_before_a_kill_are_not_fetched_again() {
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    let pages = pages_of_a_calm_run(&fixture, &simulator);
    slow_pages(&simulator);

    let before = pages_fetched(&simulator);
    let mut run = home.command(&RUN).spawn().expect("starts");
    until("many pages are fetched", || {
        pages_fetched(&simulator) >= before + 20
    });
    kill(&mut run);
    assert!(kept_pages(&home).len() >= 20 - IN_FLIGHT);
    let finished = home.run(&RUN).succeeded();

    let fetched = pages_fetched(&simulator) - before;
    assert!(
        fetched <= pages + IN_FLIGHT as u64,
        "{fetched} fetches of {pages} pages"
    );
    assert_whole(&home, &finished.json(), 4_000);
    assert!(spooled(&home).is_empty());
}

#[test]
fn kept_pages_that_are_torn_altered_or_in_the_place_of_others_are_fetched_again() {
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    let pages = pages_of_a_calm_run(&fixture, &simulator);
    slow_pages(&simulator);
    let before = pages_fetched(&simulator);
    let mut run = home.command(&RUN).spawn().expect("starts");
    until("many pages are fetched", || {
        pages_fetched(&simulator) >= before + 20
    });
    kill(&mut run);

    let file = spooled(&home).remove(0);
    let kept = kept_pages(&home);
    let mut bytes = std::fs::read(&file).expect("kept pages");
    // A digit of a row, so that the page stays well-formed JSON.
    let page = &mut bytes[kept[2].clone()];
    let digit = page.iter().rposition(u8::is_ascii_digit).expect("a digit");
    page[digit] = if page[digit] == b'1' { b'2' } else { b'1' };
    // The number of its page is told in its header.
    let number = kept[5].start + 20;
    bytes[number] = 200;
    let torn = kept.last().expect("many pages");
    bytes.truncate(torn.start + torn.len() / 2);
    std::fs::write(&file, bytes).expect("written");
    let finished = home.run(&RUN).succeeded();

    let fetched = pages_fetched(&simulator) - before;
    assert!(fetched >= pages + 3, "{fetched} fetches of {pages} pages");
    assert!(
        fetched <= pages + 3 + IN_FLIGHT as u64,
        "{fetched} fetches of {pages} pages"
    );
    assert_whole(&home, &finished.json(), 4_000);
    assert!(spooled(&home).is_empty());
}

#[cfg(unix)]
#[test]
fn kept_pages_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    slow_pages(&simulator);

    let mut run = home.command(&RUN).spawn().expect("starts");
    until("pages are kept", || kept_pages(&home).len() >= 2);
    kill(&mut run);

    let mode = |path: &Path| {
        let found = std::fs::metadata(path).expect("there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode(&spooled(&home).remove(0)), 0o600);
    assert_eq!(mode(&home.path().join("spool")), 0o700);
}

#[test]
fn a_run_removes_the_kept_pages_of_queries_that_are_over() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let spool = home.path().join("spool");
    let over = spool.join("0b0b0b0b-0000-4000-8000-000000000000.pages");
    let of_a_former_version = spool.join("0b0b0b0b-0000-4000-8000-000000000001");
    std::fs::create_dir_all(&of_a_former_version).expect("made");
    std::fs::write(
        of_a_former_version.join("1.page"),
        "of a query that is over",
    )
    .expect("written");
    std::fs::write(&over, "of a query that is over").expect("written");

    home.run(&RUN).succeeded();

    assert!(spooled(&home).is_empty());
}

#[test]
fn without_room_in_the_spool_a_killed_run_is_resumed_all_the_same() {
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    slow_pages(&simulator);

    let mut command = home.command(&RUN);
    command.env("HALO_EXTRACT__HALO__SPOOL_LIMIT", "10 kB");
    let mut run = command.spawn().expect("starts");
    until("many pages are fetched", || pages_fetched(&simulator) >= 20);
    kill(&mut run);
    let kept: u64 = spooled(&home)
        .iter()
        .map(|file| std::fs::metadata(file).expect("there").len())
        .sum();
    let finished = home.run(&RUN).succeeded();

    assert!(kept <= 10_000, "{kept} bytes");
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

pub(crate) fn pages_fetched(simulator: &Simulator) -> u64 {
    received(simulator, "page") + received(simulator, "stream")
}

/// Pages that may be fetched and not yet kept when a run is killed: four in flight, and one that is being
/// written.
const IN_FLIGHT: usize = 5;

/// Makes pages so slow that a kill comes before the last one on any machine.
pub(crate) fn slow_pages(simulator: &Simulator) {
    simulator.post(
        "faults",
        r#"{"kind": "delay", "time": "20ms", "endpoints": ["page", "stream"]}"#,
    );
}

/// How many pages the result of `RUN` has, found by another installation that is not disturbed.
fn pages_of_a_calm_run(fixture: &Fixture, simulator: &Simulator) -> u64 {
    let before = pages_fetched(simulator);
    fixture.home(simulator).run(&RUN).succeeded();
    pages_fetched(simulator) - before
}

/// What lies in the spool.
pub(crate) fn spooled(home: &Home) -> Vec<PathBuf> {
    std::fs::read_dir(home.path().join("spool"))
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// Where the whole pages of the only file in the spool lie in it, header and body.
fn kept_pages(home: &Home) -> Vec<Range<usize>> {
    const HEADER: usize = 44;
    let Some(file) = spooled(home).pop() else {
        return Vec::new();
    };
    let bytes = std::fs::read(file).expect("kept pages");
    let (mut records, mut start) = (Vec::new(), 0);
    while let Some(header) = bytes.get(start..start + HEADER) {
        let size = header[32..40].try_into().expect("eight bytes");
        let end = start + HEADER + u64::from_le_bytes(size) as usize;
        if end > bytes.len() {
            break;
        }
        records.push(start..end);
        start = end;
    }
    // The first is what was promised of the result.
    records.into_iter().skip(1).collect()
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
pub(crate) fn assert_whole(home: &Home, outcome: &serde_json::Value, rows: u64) {
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
pub(crate) fn kill(process: &mut Child) {
    process.kill().expect("killed");
    process.wait().expect("gone");
}

/// Waits for something that another process does; gives up after a minute.
/// Gives what should not happen a second to happen.
pub(crate) fn within_a_second(is: impl FnMut() -> bool) {
    let began = Instant::now();
    let mut is = is;
    while !is() && began.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

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
