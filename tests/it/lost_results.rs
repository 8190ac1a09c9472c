//! Results that the service no longer holds: what was fetched in time is used, and what was not is asked for once more,
//! never twice, and never patched together from two answers.

use crate::fixture::{Fixture, RUN, many_rows};
use crate::harness::{Finished, Home, Simulator};
use crate::resume::{assert_whole, kill, pages_fetched, slow_pages, spooled, submissions, until};

/// Lets the service's time for keeping results pass.
const EXPIRES: &str = r#"{"step": "25h"}"#;

#[test]
fn a_result_that_was_fetched_whole_before_it_expired_is_published_without_asking_again() {
    let fixture = Fixture::with_rows(&many_rows(400));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    let crashed = home
        .command(&RUN)
        .env("HALO_EXTRACT_FAIL_POINT", "between publish and record")
        .output()
        .expect("runs");
    assert_eq!(crashed.status.code(), Some(99));
    let fetched = pages_fetched(&simulator);

    simulator.post("clock", EXPIRES);
    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_eq!(pages_fetched(&simulator), fetched);
    assert_whole(&home, &finished.json(), 400);
}

#[test]
fn a_small_result_that_could_not_be_published_before_it_expired_is_published_without_asking_again()
{
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let in_the_way = home.path().join("lake/simulator/data");
    std::fs::create_dir_all(in_the_way.parent().expect("a folder")).expect("made");
    std::fs::write(&in_the_way, "a file where a folder must be").expect("written");
    home.run(&RUN)
        .failed(69, &["(storage)", "a file stands where a folder should be"]);
    let fetched = pages_fetched(&simulator);

    std::fs::remove_file(&in_the_way).expect("removed");
    simulator.post("clock", EXPIRES);
    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_eq!(pages_fetched(&simulator), fetched);
    assert_whole(&home, &finished.json(), 3);
    assert!(spooled(&home).is_empty());
}

#[test]
fn a_result_that_expired_half_fetched_is_asked_for_anew_and_nothing_of_the_old_one_is_used() {
    let fixture = Fixture::with_rows(&many_rows(4_000));
    let simulator = fixture.simulator(&["--page-bytes", "4096"]);
    let home = fixture.home(&simulator);
    slow_pages(&simulator);
    let mut run = home.command(&RUN).spawn().expect("starts");
    until("many pages are fetched", || pages_fetched(&simulator) >= 20);
    kill(&mut run);
    simulator.delete("faults");
    simulator.delete("counters");

    simulator.post("clock", EXPIRES);
    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1, "since the counters were reset");
    let all = pages_of_last_query(&simulator);
    assert_eq!(pages_fetched(&simulator), all);
    assert_whole(&home, &finished.json(), 4_000);
}

#[test]
fn a_result_that_is_lost_is_asked_for_once_more_and_a_second_loss_is_told() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "gone"}"#);

    let lost = home.run(&RUN);

    assert_eq!(submissions(&simulator), 2);
    lost.failed(75, &["(gone)", "lost a second time", "run --site s40001"]);
    assert_eq!(home.objects().len(), 0);

    simulator.delete("faults");
    let finished = home.run(&RUN).succeeded();
    assert_eq!(submissions(&simulator), 3);
    assert_whole(&home, &finished.json(), 3);
}

#[test]
fn losses_count_over_runs_until_the_extraction_has_failed_and_is_asked_for_again() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "gone"}"#);

    one_attempt(&home).failed(75, &["(gone)", "no longer held"]);
    assert_eq!(submissions(&simulator), 1);
    one_attempt(&home).failed(75, &["lost a second time"]);
    assert_eq!(submissions(&simulator), 2);

    one_attempt(&home).failed(75, &["no longer held"]);
    assert_eq!(submissions(&simulator), 3);
}

/// A run that tries once.
fn one_attempt(home: &Home) -> Finished {
    let mut command = home.command(&RUN);
    command.env("HALO_EXTRACT__LIMITS__ATTEMPTS_PER_RUN", "1");
    Finished::of(command.output().expect("runs"))
}

/// How many pages of the newest query were fetched, each once.
fn pages_of_last_query(simulator: &Simulator) -> u64 {
    let queries = simulator.control("queries");
    let newest = queries.as_array().and_then(|all| all.last());
    let fetched = newest.expect("a query")["fetched"].clone();
    let fetched = fetched.as_object().expect("fetches by page");
    assert!(fetched.values().all(|times| times == 1), "{fetched:?}");
    fetched.len() as u64
}
