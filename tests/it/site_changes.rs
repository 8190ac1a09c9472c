//! What happens to sites after they were paired: moves, new names, mergers, another database, roll-out, pause,
//! withdrawal.

use std::io::Write;

use crate::fixture::{Fixture, RUN};
use crate::harness::Home;
use crate::resume::{received, submissions, until};
use crate::site_stories::Story;

fn site(home: &Home, key: &str) -> serde_json::Value {
    home.run(&["site", "show", key, "--output", "json"])
        .succeeded()
        .json()
}

/// Objects of a site.
fn objects(home: &Home, key: &str) -> usize {
    let part = format!("site={key}");
    let of_site = |path: &std::path::PathBuf| path.iter().any(|name| name == part.as_str());
    home.objects().iter().filter(|path| of_site(path)).count()
}

/// Gives the practice a table in which it tells its name, as Best Practice has it.
fn calls_itself(fixture: &Fixture, name: &str) {
    let mut schema = std::fs::OpenOptions::new()
        .append(true)
        .open(fixture.data().join("schema.sql"))
        .expect("opened");
    writeln!(
        schema,
        "\nCREATE TABLE PRACTICE (PRACTICENAME char(100) NULL);"
    )
    .expect("written");
    let rows = format!("PRACTICENAME\n{name}\n");
    std::fs::write(fixture.data().join("PRACTICE.csv"), rows).expect("written");
}

#[test]
fn a_practice_that_moves_and_keeps_its_name_is_followed_and_its_rows_land_under_it_alone() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "moved", "sites": ["40001"]}"#);
    let mut story = Story::new(&simulator, &home);

    home.run(&RUN).succeeded();

    story.types(&["site", "show", "s40001"]).succeeded();
    let shown = site(&home, "s40001");
    assert_eq!(shown["state"], "active");
    let history = shown["identities"].as_array().expect("a history");
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["halo_guid"], simulator.sites()[0]["halo_guid"]);
    assert_eq!(history[1]["halo_guid"], shown["halo_guid"]);
    assert_ne!(history[0]["halo_guid"], history[1]["halo_guid"]);
    assert_eq!((objects(&home, "s40001"), objects(&home, "s40002")), (1, 1));
    let untouched = site(&home, "s40002");
    assert_eq!(untouched["halo_guid"], simulator.sites()[1]["halo_guid"]);
    story.ends("site_moved");
}

#[test]
fn a_practice_that_moves_under_another_name_waits_for_a_person_who_sees_both_names() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post(
        "faults",
        r#"{"kind": "moved", "practice_name": "Amalgamated Health Group"}"#,
    );
    let mut story = Story::new(&simulator, &home);

    home.run(&RUN).failed(77, &["may be another practice"]);
    assert_eq!(home.objects().len(), 0);
    story.types(&RUN).failed(2, &["no site is active"]);
    story.types(&["site", "review", "s40001"]).succeeded();
    story
        .types(&[
            "site",
            "review",
            "s40001",
            "--accept",
            "--reason",
            "the practice told us",
        ])
        .succeeded();
    let shown = site(&home, "s40001");
    assert_eq!(shown["state"], "held");
    assert_eq!(shown["practice_name"], "Amalgamated Health Group");
    assert_ne!(shown["halo_guid"], simulator.sites()[0]["halo_guid"]);

    story
        .types(&["site", "activate", "s40001", "--reason", "it goes on"])
        .succeeded();
    home.run(&RUN).succeeded();
    assert_eq!(objects(&home, "s40001"), 1);
    story.ends("site_moved_and_renamed");
}

#[test]
fn after_a_merger_no_database_is_extracted_under_two_keys() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = fixture.home(&simulator);
    simulator.post(
        "faults",
        r#"{"kind": "merged", "into": "40001", "practice_name": "Practice 40002", "sites": ["40002"]}"#,
    );
    let mut story = Story::new(&simulator, &home);

    home.run(&RUN).failed(3, &["may be another practice"]);

    assert_eq!((objects(&home, "s40001"), objects(&home, "s40002")), (1, 0));
    assert_eq!(site(&home, "s40002")["state"], "identity-review");
    story.types(&["site", "review", "s40002"]).succeeded();
    story
        .types(&[
            "site",
            "review",
            "s40002",
            "--reject",
            "--reason",
            "merged into s40001",
        ])
        .succeeded();
    assert_eq!(site(&home, "s40002")["state"], "withdrawn");
    story.then("somebody pairs it again under its old Site ID");
    let code = crate::site_stories::code(&simulator.sites()[1]);
    story
        .types_into(&["site", "pair", "--pms-id", "40002", "--code", "-"], &code)
        .failed(77, &["s40001", "two keys would get the same rows"]);
    assert_eq!(site(&home, "s40002")["state"], "withdrawn");
    story.ends("site_merged");
}

#[test]
fn the_database_is_asked_once_what_it_calls_itself_and_again_after_a_move() {
    let fixture = Fixture::new();
    calls_itself(&fixture, "PRACTICE 40001");
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let again: Vec<&str> = RUN.into_iter().chain(["--again"]).collect();

    home.run(&RUN).succeeded();
    home.run(&again).succeeded();
    assert_eq!(received(&simulator, "immediate"), 1);

    simulator.post("faults", r#"{"kind": "moved"}"#);
    home.run(&again).succeeded();
    home.run(&again).succeeded();
    assert_eq!(received(&simulator, "immediate"), 2);
    assert_eq!(
        site(&home, "s40001")["database"]["practice_name"],
        "PRACTICE 40001"
    );
}

#[test]
fn another_practices_database_is_not_extracted_from_until_a_person_decides() {
    let fixture = Fixture::new();
    calls_itself(&fixture, "Kurrajong Family Doctors");
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let mut story = Story::new(&simulator, &home);

    let failed = home
        .run(&RUN)
        .failed(77, &["is named otherwise", "site review s40001"]);
    assert!(!failed.stderr.contains("Kurrajong"), "{failed:#?}");
    assert_eq!(submissions(&simulator), 0);
    assert_eq!(site(&home, "s40001")["state"], "identity-review");
    story.types(&["site", "review", "s40001"]).succeeded();
    story
        .types(&[
            "site",
            "review",
            "s40001",
            "--accept",
            "--reason",
            "its former name",
        ])
        .succeeded();
    home.run(&["site", "activate", "s40001"]).succeeded();
    home.run(&RUN).succeeded();
    assert_eq!(received(&simulator, "immediate"), 1);
    story.ends("site_other_database");
}

#[test]
fn a_roll_out_goes_on_only_after_a_complete_night_of_the_first_site() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "3"]);
    let home = Home::new(&simulator, &fixture.queries());
    for practice in simulator.sites() {
        let (id, code) = (
            practice["pms_id"].as_str(),
            practice["pairing_code"].as_str(),
        );
        let (id, code) = (id.expect("an id"), code.expect("a code"));
        home.run(&[
            "site", "pair", "--pms-id", id, "--code", code, "--group", "north",
        ])
        .succeeded();
    }
    let mut story = Story::new(&simulator, &home);
    let begin = ["site", "activate", "--group", "north", "--canary", "1"];
    let go_on = ["site", "activate", "--group", "north", "--continue"];

    story
        .types(&go_on)
        .failed(2, &["no roll-out of north has begun"]);
    story.types(&begin).succeeded();
    assert_eq!(states(&home), ["active", "held", "held"]);
    story
        .types(&go_on)
        .failed(75, &["visits@v1: not extracted yet"]);
    simulator.post("faults", r#"{"kind": "lost_row"}"#);
    home.run(&RUN).failed(69, &[]);
    story.types(&go_on).failed(75, &["visits@v1"]);
    assert_eq!(states(&home), ["active", "held", "held"]);

    simulator.delete("faults");
    home.run(&RUN).succeeded();
    story.types(&begin).succeeded();
    story.types(&go_on).succeeded();
    assert_eq!(states(&home), ["active", "active", "active"]);
    story.ends("site_rollout");
}

fn states(home: &Home) -> Vec<String> {
    let sites = home.run(&["site", "list", "--output", "json"]).succeeded();
    let sites = sites.json();
    let states = sites.as_array().expect("sites").iter();
    states
        .map(|site| site["state"].as_str().expect("a state").to_owned())
        .collect()
}

#[test]
fn a_group_is_paused_until_a_date_and_each_change_is_audited_with_its_reason() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = fixture.home(&simulator);
    home.run(&["site", "set", "s40001", "s40002", "--add-group", "north"])
        .succeeded();
    let mut story = Story::new(&simulator, &home);

    story
        .types(&["site", "pause", "--group", "north", "--until", "2020-01-01"])
        .failed(2, &["has come"]);
    story
        .types(&["site", "pause", "--group", "nort"])
        .failed(2, &["did you mean north?"]);
    story
        .types(&[
            "site",
            "pause",
            "--group",
            "north",
            "--until",
            "2099-01-01",
            "--reason",
            "holidays",
            "--actor",
            "kim",
        ])
        .succeeded();
    assert_eq!(states(&home), ["paused", "paused"]);
    home.run(&RUN).failed(2, &["no site is active"]);
    let tail = home.run(&["audit", "tail", "--lines", "1", "--output", "json"]);
    let entry = &tail.succeeded().json()[0];
    assert_eq!(
        [&entry["actor"], &entry["action"], &entry["reason"]],
        ["kim", "pause", "holidays"]
    );
    story.types(&["site", "hold", "s40001"]).succeeded();
    story.types(&["site", "activate", "s40001"]).succeeded();
    story.types(&["site", "list"]).succeeded();
    story.ends("site_paused");
}

#[test]
fn what_a_site_has_of_its_own_holds_for_it_alone() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = fixture.home(&simulator);
    let mut story = Story::new(&simulator, &home);

    story
        .types(&["site", "set", "s40001", "--query-off", "visit"])
        .failed(2, &["did you mean visits?"]);
    story
        .types(&[
            "site",
            "set",
            "s40001",
            "--query-off",
            "visits",
            "--quiet-hours",
            "20:00-06:00",
            "--reason",
            "the practice asked",
        ])
        .succeeded();
    story
        .types(&["site", "set", "s40002"])
        .failed(2, &["nothing to set"]);
    // One to ask the database what it calls itself, and one for the extraction.
    home.run(&["site", "set", "s40002", "--queries-per-month", "2"])
        .succeeded();

    let run = home.run(&RUN).succeeded();
    assert!(run.stderr.contains("switched off at this site"), "{run:#?}");
    assert_eq!((objects(&home, "s40001"), objects(&home, "s40002")), (0, 1));
    let again: Vec<&str> = RUN.into_iter().chain(["--again"]).collect();
    home.run(&again).failed(75, &["are spent"]);
    home.run(&["site", "set", "s40002", "--queries-per-month", "default"])
        .succeeded();
    home.run(&["site", "set", "s40001", "--query-on", "visits"])
        .succeeded();
    home.run(&again).succeeded();
    assert_eq!((objects(&home, "s40001"), objects(&home, "s40002")), (1, 1));
    story.ends("site_set");
}

#[test]
fn withdrawing_a_site_at_work_publishes_nothing_of_it() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--execute-ms", "3000"]);
    let home = fixture.home(&simulator);
    let mut command = home.command(&RUN);
    let run = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    until("the query is submitted", || submissions(&simulator) == 1);
    let mut story = Story::new(&simulator, &home);

    story
        .types(&[
            "site",
            "withdraw",
            "s40001",
            "--reason",
            "the practice ended it",
        ])
        .succeeded();
    drop(run.wait_with_output().expect("ends"));

    assert_eq!(home.objects().len(), 0);
    home.run(&RUN).failed(2, &["no site is active"]);
    story
        .types(&["site", "activate", "s40001"])
        .failed(1, &["withdrawn", "pair it anew"]);
    story.ends("site_withdrawn");
}
