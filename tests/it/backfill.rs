//! History rebuilt unit by unit: planned and seen first, killed, paused, cut, stopped, and never asked twice without
//! need.
//!
//! The test of many kills has a short form; `HALO_EXTRACT_BACKFILL=full` asks 20 sites.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{Days, NaiveDate, Utc};
use halo_extract::domain::{Due, Environment, Lane, Planned};
use halo_extract::ledger::Ledger;
use serde_json::Value;

use crate::fixture::{Fixture, HEADER, SQL};
use crate::harness::{Finished, Home, Simulator};
use crate::resume::{submissions, until};
use crate::serve::hours_to_come;

/// Two years and some days, all over.
const RANGE: [&str; 4] = ["--from", "2024-11-01", "--to", "2026-11-01"];

/// Units of `RANGE` at one site, of thirty days each.
const UNITS_OF_SITE: usize = 25;

/// One visit every ten days of three years.
fn years_of_rows() -> String {
    let first = NaiveDate::from_ymd_opt(2024, 1, 5).expect("a date");
    let mut text = String::from("id,seen,weight,note,updated\n");
    for id in 1..=110_u64 {
        let day = first + Days::new(10 * id);
        text.push_str(&format!("{id},{day}T09:30:00,71.25,row number {id},\n"));
    }
    text
}

/// Installations at `sites` practices that share the tables.
fn fleet(sites: usize, arguments: &[&str]) -> (Fixture, Simulator, Home) {
    let fixture = Fixture::with_rows(&years_of_rows());
    let count = sites.to_string();
    let mut all = vec!["--practices", count.as_str()];
    all.extend(arguments);
    let simulator = fixture.simulator(&all);
    // Whatever the time of day at which tests run.
    let home = fixture
        .home(&simulator)
        .with("HALO_EXTRACT__SCHEDULE__QUIET_HOURS", "00:00-00:00");
    (fixture, simulator, home)
}

/// Plans with more arguments and gives the document that was printed.
#[track_caller]
fn plan(home: &Home, arguments: &[&str]) -> Value {
    let mut all = vec!["backfill", "plan", "--output", "json"];
    all.extend(arguments);
    home.run(&all).succeeded().json()
}

fn units(document: &Value) -> &Vec<Value> {
    document["units"].as_array().expect("units")
}

fn shown(home: &Home) -> Value {
    home.run(&["backfill", "show", "1", "--output", "json"])
        .succeeded()
        .json()
}

/// The days from the first to the last, each as often as the windows have it.
fn days_of(units: &[Value]) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> = units
        .iter()
        .filter(|unit| unit["state"] != "cut")
        .flat_map(|unit| {
            let (from, to) = unit["window"]
                .as_str()
                .expect("text")
                .split_once("..")
                .expect("a window");
            let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
            let to = day(to);
            day(from).iter_days().take_while(move |it| *it < to)
        })
        .collect();
    days.sort_unstable();
    days
}

fn every_day() -> Vec<NaiveDate> {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
    day(RANGE[1])
        .iter_days()
        .take_while(|it| *it < day(RANGE[3]))
        .collect()
}

#[test]
fn a_plan_shows_each_unit_with_its_reason_and_asks_nothing() {
    let (fixture, simulator, home) = fleet(1, &[]);
    let snapshot = HEADER.replace("\"incremental\"", "\"snapshot\"");
    let snapshot: String = snapshot
        .lines()
        .filter(|line| !line.starts_with("overlap") && !line.starts_with("watermark"))
        .map(|line| format!("{line}\n"))
        .collect();
    fixture.query("roster", &snapshot, "SELECT v.id AS id, v.seen AS seen, v.weight AS weight, v.note AS note\nFROM visits v\nWHERE v.seen < @snapshot_date\nORDER BY v.id\n");
    home.run(&[
        "run",
        "--query",
        "visits",
        "--from",
        "2026-09-01",
        "--to",
        "2026-09-11",
    ])
    .succeeded();
    let asked = submissions(&simulator);

    let planned = plan(&home, &RANGE);
    let again = plan(&home, &RANGE);

    assert_eq!(
        (&planned["id"], &planned["digest"]),
        (&again["id"], &again["digest"])
    );
    let without: Vec<NaiveDate> = every_day()
        .into_iter()
        .filter(|day| {
            !("2026-09-01".parse().expect("a date")..="2026-09-10".parse().expect("a date"))
                .contains(day)
        })
        .collect();
    assert_eq!(days_of(units(&planned)), without);
    assert_eq!(units(&planned)[0]["window"], "2026-10-11..2026-11-01");
    assert!(
        units(&planned)
            .iter()
            .all(|unit| unit["reason"] == "missing")
    );
    let left: BTreeSet<&str> = planned["left"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|left| left["why"].as_str().expect("text"))
        .collect();
    assert_eq!(
        left,
        BTreeSet::from([
            "covered already",
            "a snapshot shows the rows of now, so the past cannot be asked for"
        ])
    );
    let estimate = &planned["estimate"];
    assert_eq!(estimate["unknown_units"], 0);
    // One row in ten days, in seven hundred and twenty.
    let rows = estimate["rows"]["least"].as_f64().expect("a number");
    assert!((70.0..75.0).contains(&rows), "{estimate:#}");
    assert_eq!(submissions(&simulator), asked);
}

#[test]
fn a_table_for_people_tells_where_its_figures_come_from_and_what_to_type_next() {
    let (_fixture, _simulator, home) = fleet(2, &[]);
    home.run(&[
        "run",
        "--site",
        "s40001",
        "--from",
        "2026-09-01",
        "--to",
        "2026-09-11",
    ])
    .succeeded();

    let mut arguments = vec!["backfill", "plan", "--max-days", "90"];
    arguments.extend(RANGE);
    let planned = home.run(&arguments).succeeded();

    assert!(planned.stdout.contains("1 here"), "{planned:?}");
    assert!(planned.stdout.contains("1 at other sites"), "{planned:?}");
    assert!(
        planned.stderr.contains("halo-extract backfill start 1"),
        "{planned:?}"
    );
    home.run(&["backfill", "list"]).succeeded();
    home.run(&["backfill", "show", "7"])
        .failed(2, &["there is no backfill 7", "backfill list"]);
}

/// How many sites the test of many kills asks.
fn sites() -> usize {
    if std::env::var("HALO_EXTRACT_BACKFILL").is_ok_and(|form| form == "full") {
        20
    } else {
        4
    }
}

#[test]
fn two_years_killed_ten_times_ask_each_unit_once() {
    const KILLS: usize = 10;
    let (_fixture, simulator, home) = fleet(sites(), &["--execute-ms", "20"]);
    let all = sites() * UNITS_OF_SITE;
    let began = Instant::now();

    let planned = plan(&home, &RANGE);
    assert_eq!(units(&planned).len(), all);
    for kill in 1..=KILLS {
        let enough = u64::try_from(all * kill / (KILLS + 1)).expect("fits");
        let mut process = home
            .command(&["backfill", "start", "1"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        until("more units are asked", || submissions(&simulator) >= enough);
        process.kill().expect("still at work");
        process.wait().expect("gone");
    }
    home.run(&["backfill", "start", "1"]).succeeded();

    let finished = shown(&home);
    assert_eq!(finished["state"], "finished");
    assert_eq!(finished["counts"]["succeeded"], all);
    assert_eq!(published(&home), all);
    let journal = Journal::read(&home);
    let lost = simulator
        .control("queries")
        .as_array()
        .expect("a list")
        .iter()
        .filter(|query| query["mode"] == "async")
        .filter(|query| !journal.known.contains(query["id"].as_str().expect("an id")))
        .count();
    say(&format!(
        "{all} units, {KILLS} kills, {} submissions in {:.1} s; killed between posting and hearing the id: {lost} {:?}",
        submissions(&simulator),
        began.elapsed().as_secs_f64(),
        journal.without_id
    ));
    assert_eq!(journal.more_than_one, Vec::<String>::new());
    assert_eq!(journal.known.len(), all);
    assert_eq!(submissions(&simulator), (all + lost) as u64);
    // Each one is justified by an attempt that was journalled and never learned an id.
    assert!(lost <= journal.without_id.len());
}

/// Parquet files in the lake; what a kill left unpublished has another ending.
fn published(home: &Home) -> usize {
    let is_object = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "parquet");
    home.objects().iter().filter(|path| is_object(path)).count()
}

/// What the ledger remembers of its submissions.
struct Journal {
    known: BTreeSet<String>,
    /// Extractions of which two submissions have an id.
    more_than_one: Vec<String>,
    /// Extractions with an attempt that was about to post, and never learned an id.
    without_id: Vec<String>,
}

impl Journal {
    fn read(home: &Home) -> Self {
        let ledger =
            rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("the ledger");
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = ledger.prepare(sql).expect("the journal");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.map(|text| text.expect("text")).collect()
        };
        Self {
            known: texts("SELECT remote_id FROM attempt WHERE remote_id IS NOT NULL")
                .into_iter()
                .collect(),
            more_than_one: texts(
                "SELECT e.site || ' ' || e.window_start || ' ' || group_concat(a.number || ' ' || coalesce(a.outcome, 'open')
                        || ' ' || coalesce(a.message, ''))
                 FROM attempt AS a JOIN extraction AS e ON e.id = a.extraction WHERE a.remote_id IS NOT NULL
                 GROUP BY e.id HAVING count(*) > 1",
            ),
            without_id: texts(
                "SELECT e.site || ' ' || e.window_start || ' ' || a.outcome
                 FROM attempt AS a JOIN extraction AS e ON e.id = a.extraction
                 WHERE a.submitted_at IS NOT NULL AND a.remote_id IS NULL",
            ),
        }
    }
}

#[expect(clippy::print_stderr, reason = "the figures belong to the result")]
fn say(what: &str) {
    eprintln!("{what}");
}

#[test]
fn a_plan_whose_world_moved_is_refused_and_says_what_differs() {
    let (fixture, simulator, home) = fleet(2, &[]);
    let planned = plan(&home, &RANGE);
    let digest = planned["digest"].as_str().expect("text");

    home.run(&[
        "run",
        "--site",
        "s40001",
        "--from",
        "2026-10-02",
        "--to",
        "2026-11-01",
    ])
    .succeeded();
    home.run(&["site", "hold", "s40002", "--reason", "test"])
        .succeeded();
    fixture.query(
        "visits",
        HEADER,
        &SQL.replace("v.weight AS", "v.weight + 0 AS"),
    );
    let asked = submissions(&simulator);

    home.run(&["backfill", "start", digest]).failed(
        1,
        &[
            "nothing was started",
            "visits@v1 was edited since",
            "s40001 visits@v1",
            "covered already",
            "the site is held",
            "backfill plan",
        ],
    );
    assert_eq!(shown(&home)["state"], "planned");
    assert_eq!(submissions(&simulator), asked);
}

#[test]
fn a_unit_that_takes_too_long_is_halved_and_the_size_is_remembered() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    simulator.post(
        "faults",
        r#"{"kind": "sql_error", "code": -2, "message": "Execution Timeout Expired.", "times": 2, "endpoints": ["async"]}"#,
    );
    plan(&home, &["--from", "2026-08-03", "--to", "2026-11-01"]);

    home.run(&["backfill", "start", "1"]).succeeded();

    let finished = shown(&home);
    let units = units(&finished);
    let cut = units.iter().filter(|unit| unit["state"] == "cut").count();
    let done: Vec<&Value> = units
        .iter()
        .filter(|unit| unit["state"] == "succeeded")
        .collect();
    assert_eq!(cut + done.len(), units.len(), "{finished:#}");
    // Ninety days; two of thirty took too long, and what waited was cut with the second.
    let days = days_of(units);
    assert_eq!(days.len(), 90);
    assert!(days.windows(2).all(|pair| pair[0] < pair[1]), "a day twice");
    let longest = done
        .iter()
        .map(|unit| days_of(&[(*unit).clone()]).len())
        .max();
    assert_eq!(longest, Some(15));
    assert_eq!(submissions(&simulator), 2 + done.len() as u64);
    let next = plan(&home, &["--from", "2026-06-01", "--to", "2026-07-01"]);
    let longest = next["units"].as_array().expect("units").iter();
    assert_eq!(
        longest
            .map(|unit| days_of(std::slice::from_ref(unit)).len())
            .max(),
        Some(15)
    );
}

#[test]
fn a_single_day_that_takes_too_long_waits_and_is_asked_again() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    simulator.post(
        "faults",
        r#"{"kind": "sql_error", "code": -2, "message": "Execution Timeout Expired.", "times": 1, "endpoints": ["async"]}"#,
    );
    plan(&home, &["--from", "2026-10-01", "--to", "2026-10-02"]);

    home.run(&["backfill", "start", "1", "--no-wait"])
        .failed(75, &["wait", "backfill show 1"]);

    assert_eq!(units(&shown(&home)).len(), 1);
    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn more_failures_than_allowed_stop_it_and_retry_ends_it() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    simulator.post(
        "faults",
        r#"{"kind": "sql_error", "code": 208, "message": "Invalid object name 'visits'.", "times": 3, "endpoints": ["async"]}"#,
    );
    let mut arguments = vec!["--max-failures", "1"];
    arguments.extend(RANGE);
    plan(&home, &arguments);

    home.run(&["backfill", "start", "1"]).failed(
        3,
        &[
            "has stopped: 2 of 25 units failed, and 1 may",
            "backfill resume 1",
        ],
    );
    assert_eq!(shown(&home)["state"], "stopped");
    assert_eq!(submissions(&simulator), 2);
    home.run(&["backfill", "start", "1"])
        .failed(2, &["backfill 1 is stopped"]);

    // What failed before is known to whoever resumes; one more may fail.
    home.run(&["backfill", "resume", "1"])
        .failed(3, &["3 failed", "backfill retry 1"]);
    assert_eq!(shown(&home)["counts"]["failed"], 3);
    home.run(&["backfill", "retry", "1"]).succeeded();

    let finished = shown(&home);
    assert_eq!(finished["state"], "finished");
    assert_eq!(finished["counts"]["succeeded"], 25);
    assert_eq!(submissions(&simulator), 25 + 3);
}

#[test]
fn a_paused_backfill_lets_what_is_at_work_end_and_asks_nothing_more_until_it_is_resumed() {
    let (_fixture, simulator, home) = fleet(1, &["--execute-ms", "200"]);
    plan(&home, &RANGE);
    let process = home
        .command(&["backfill", "start", "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    until("some units are asked", || submissions(&simulator) >= 3);

    home.run(&["backfill", "pause", "1", "--reason", "the practice called"])
        .succeeded();
    let ended = Finished::of(process.wait_with_output().expect("its own child")).succeeded();

    assert!(ended.stderr.contains("backfill 1 is paused"), "{ended:?}");
    let paused = shown(&home);
    let asked = submissions(&simulator);
    assert_eq!(paused["counts"]["running"], 0);
    assert_eq!(paused["counts"]["succeeded"], asked);
    assert!(asked < 25);
    home.run(&["backfill", "pause", "1"])
        .failed(2, &["nothing to pause"]);
    // Whoever asks for one of its windows by name does not wait for it.
    let window = units(&paused)
        .iter()
        .find(|unit| unit["state"] != "succeeded")
        .and_then(|unit| unit["window"].as_str())
        .and_then(|window| window.split_once(".."))
        .expect("a unit that waits");
    home.run(&["run", "--from", window.0, "--to", window.1])
        .succeeded();

    home.run(&["backfill", "resume", "1"]).succeeded();
    assert_eq!(shown(&home)["state"], "finished");
    assert_eq!(submissions(&simulator), 25);
}

#[test]
fn a_cancelled_backfill_keeps_what_is_published_and_frees_the_rest() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    home.run(&["run", "--from", "2026-10-02", "--to", "2026-11-01"])
        .succeeded();
    let mut arguments = vec!["--reprocess", "completed"];
    arguments.extend(RANGE);
    let planned = plan(&home, &arguments);
    assert_eq!(units(&planned)[0]["reason"], "asked-again");
    home.run(&["backfill", "start", "1", "--detach"])
        .succeeded();
    assert_eq!(shown(&home)["counts"]["waiting"], units(&planned).len());

    home.run(&["backfill", "cancel", "1"]).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_eq!(home.objects().len(), 1);
    let finished = shown(&home);
    assert_eq!(finished["state"], "cancelled");
    // The object that was to be replaced stands as it did.
    assert_eq!(units(&finished)[0]["state"], "succeeded");
    assert_eq!(units(&plan(&home, &RANGE)).len(), units(&planned).len() - 1);
    home.run(&["backfill", "resume", "1"])
        .failed(2, &["is cancelled"]);
}

#[test]
fn a_backfill_that_was_started_detached_is_carried_out_by_whoever_starts_it_again() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    plan(&home, &RANGE);

    home.run(&["backfill", "start", "1", "--detach"])
        .succeeded();
    assert_eq!(submissions(&simulator), 0);
    let finished = home.run(&["backfill", "start", "1"]).succeeded();

    assert!(finished.stderr.contains("25 of 25 units"), "{finished:?}");
    assert_eq!(submissions(&simulator), 25);
    let nothing = plan(&home, &RANGE);
    assert_eq!((nothing["id"].as_u64(), units(&nothing).len()), (None, 0));
}

#[test]
fn outside_quiet_hours_a_backfill_asks_nothing_and_goes_on_when_its_sites_open() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    plan(&home, &RANGE);
    let mut closed = home.command(&["backfill", "start", "1", "--no-wait"]);
    closed.env(
        "HALO_EXTRACT__SCHEDULE__QUIET_HOURS",
        hours_to_come(&simulator),
    );

    Finished::of(closed.output().expect("runs"))
        .failed(75, &["25 units", "wait", "the first until"]);

    assert_eq!(submissions(&simulator), 0);
    home.run(&["backfill", "show", "1"])
        .failed(0, &["25 pending (quiet-hours)"]);
}

#[test]
fn units_behind_a_night_that_is_due_wait_and_say_so() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    plan(&home, &RANGE);
    // As `serve` left it when it was ended before its first claim.
    let night = "s40001/visits@v1/2026-11-20..2026-11-21";
    let night = Planned {
        extraction: night.parse().expect("an extraction"),
        lane: Lane::Nightly,
        priority: 0,
        due: Due::Scheduled,
        not_before: Utc::now(),
    };
    let path = home.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");
    ledger.plan(&[night], Utc::now()).expect("planned");

    home.run(&["backfill", "start", "1", "--no-wait"]).failed(
        75,
        &["25 units", "nights that are due", "halo-extract serve"],
    );

    assert_eq!(submissions(&simulator), 0);
}

#[test]
fn a_spent_budget_lets_the_rest_wait_for_the_next_month() {
    let (_fixture, simulator, home) = fleet(1, &[]);
    let budget = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HALO_EXTRACT__LIMITS__QUERIES_PER_SITE_MONTH", "4");
        Finished::of(command.output().expect("runs"))
    };
    let mut arguments = vec!["backfill", "plan"];
    arguments.extend(RANGE);

    let planned = budget(&arguments).succeeded();
    assert!(
        planned.stderr.contains("leaves 4 of 25 queries this month"),
        "{planned:?}"
    );
    // The question what the database calls itself, before the first unit, is one of the four.
    let stopped = budget(&["backfill", "start", "1", "--no-wait"]);
    assert_eq!(
        stopped.stderr.matches("are spent").count(),
        1,
        "{stopped:?}"
    );
    stopped.failed(
        75,
        &["22 units", "wait", "site s40001: what is left waits until"],
    );

    assert_eq!(submissions(&simulator), 3);
    home.run(&["backfill", "show", "1"])
        .failed(0, &["22 pending (budget-spent)"]);

    // As the message says: a budget that was raised is seen at the next start.
    home.run(&["backfill", "start", "1"]).succeeded();
    assert_eq!(submissions(&simulator), 25);
}

#[test]
fn a_range_that_reaches_into_today_is_planned_up_to_the_days_that_are_over() {
    let (_fixture, _simulator, home) = fleet(1, &[]);
    let today = Utc::now().date_naive();
    let (from, to) = (
        (today - Days::new(5)).to_string(),
        (today + Days::new(5)).to_string(),
    );

    let planned = plan(&home, &["--from", &from, "--to", &to]);

    let days = days_of(units(&planned));
    assert!((5..=6).contains(&days.len()), "{days:?}");
    assert!(planned["left"].to_string().contains("not over at the site"));
    home.run(&["backfill", "plan", "--from", &to, "--to", &from])
        .failed(2, &["is empty", "--to is the first day after"]);
}

#[test]
fn following_ends_when_the_backfill_does() {
    let (_fixture, simulator, home) = fleet(1, &["--execute-ms", "100"]);
    plan(&home, &RANGE);
    home.run(&["backfill", "start", "1", "--detach"])
        .succeeded();
    let mut follower = home
        .command(&["backfill", "show", "1", "--follow"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");

    home.run(&["backfill", "start", "1"]).succeeded();

    assert_eq!(submissions(&simulator), 25);
    assert!(follower.wait().expect("its own child").success());
}
