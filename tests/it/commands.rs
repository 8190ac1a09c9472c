//! What the commands print and return when all is well, or only partly.

use std::process::{Command, Stdio};

use crate::fixture::{Fixture, HEADER, RUN, text};
use crate::harness::{Finished, Home, PROGRAM, Simulator};
use crate::resume::{received, submissions, until};

#[test]
fn a_dry_run_shows_the_plan_and_asks_nothing() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let mut dry = RUN.to_vec();
    dry.push("--dry-run");
    let plan = home.run(&dry).succeeded().json();

    let expected = serde_json::json!([
        {"site": "s40001", "query": "visits@v1", "window": "2026-11-01..2026-12-01", "reason": "requested"}
    ]);
    assert_eq!(plan, expected);
    assert_eq!(submissions(&simulator), 0);
    assert_eq!(
        home.run(&["status", "--counts", "--output", "json"])
            .succeeded()
            .json(),
        serde_json::json!([])
    );
}

#[test]
fn a_run_of_which_a_part_fails_lists_that_part_and_keeps_the_other() {
    let fixture = Fixture::new();
    fixture.query(
        "absent",
        HEADER,
        &crate::fixture::SQL.replace("FROM visits", "FROM not_there"),
    );
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let finished = home
        .run(&RUN)
        .failed(3, &["s40001/absent@v1", "not_there", "next:"]);

    let states: Vec<_> = finished
        .json()
        .as_array()
        .expect("outcomes")
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["failed (sql)", "succeeded"]);
    assert_eq!(home.objects().len(), 1);
    let status = home
        .run(&["status", "--counts", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(status[0]["state"], "failed");
    assert_eq!(status[1]["rows"], 3);
}

#[test]
fn an_interrupted_run_ends_safely_and_the_next_one_goes_on() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--execute-ms", "3000"]);
    let home = fixture.home(&simulator);

    let mut command = home.command(&RUN);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    until("the query is submitted", || submissions(&simulator) == 1);
    let sent = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    Finished::of(run.wait_with_output().expect("ends"))
        .failed(130, &["stopping", "goes on with it"]);
    assert_eq!(home.objects().len(), 0);

    home.run(&RUN).succeeded();
    assert_eq!(submissions(&simulator), 1);
    assert_eq!(home.objects().len(), 1);
}

#[test]
fn the_second_ctrl_c_stops_a_run_at_once_and_the_next_one_goes_on() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    // The question which database it is takes a minute, and nothing cuts it short but the end of the program.
    simulator.post(
        "faults",
        r#"{"kind": "delay", "time": "60s", "endpoints": ["immediate"]}"#,
    );
    let said = home.path().join("said");
    let mut run = home
        .command(&RUN)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&said).expect("a file"))
        .spawn()
        .expect("starts");
    let interrupt = |run: &std::process::Child| {
        let sent = Command::new("kill")
            .args(["-INT", &run.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    };
    until("the database is asked for its name", || {
        received(&simulator, "immediate") == 1
    });

    interrupt(&run);
    until("it says that it stops", || {
        let said = std::fs::read_to_string(&said).expect("what it said");
        said.contains("once more stops at once")
    });
    assert_eq!(run.try_wait().expect("its own child"), None);
    let second = std::time::Instant::now();
    interrupt(&run);
    let ended = run.wait().expect("ends");

    assert_eq!(ended.code(), Some(130));
    assert!(second.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(home.objects().len(), 0);
    simulator.delete("faults");
    let next = std::time::Instant::now();
    home.run(&RUN).succeeded();
    // What the first had claimed is its own for two minutes, unless it gives it back.
    assert!(next.elapsed() < std::time::Duration::from_secs(60));
    assert_eq!(submissions(&simulator), 1);
    assert_eq!(home.objects().len(), 1);
}

#[test]
fn the_ready_line_is_one_json_object_of_the_documented_fields_and_is_also_in_the_ready_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ready.json");
    let simulator = Simulator::start(&[
        "--practices",
        "2",
        "--patients",
        "5",
        "--seed",
        "7",
        "--ready-file",
        text(&file),
    ]);
    let again = Simulator::start(&["--practices", "2", "--patients", "5", "--seed", "7"]);

    let keys = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&simulator.ready), ["sites", "subscription_key", "url"]);
    assert_eq!(
        keys(&simulator.sites()[0]),
        [
            "halo_guid",
            "pairing_code",
            "pms_id",
            "pms_name",
            "practice_name",
            "time_zone"
        ]
    );
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("written")).expect("JSON");
    assert_eq!(written, simulator.ready);
    assert_eq!(simulator.sites(), again.sites());
    assert_eq!(simulator.key(), again.key());
}

#[test]
fn completions_know_every_command() {
    let output = Command::new(PROGRAM)
        .args(["completions", "bash"])
        .output()
        .expect("runs");

    let script = Finished::of(output).succeeded().stdout;

    for command in ["demo", "site", "query", "run", "status", "simulate"] {
        assert!(script.contains(command), "{command}");
    }
}

#[test]
fn the_code_can_come_from_standard_input_and_is_not_kept() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");

    let mut pair = home.command(&[
        "site", "pair", "--pms-id", "40001", "--code", "-", "--log", "trace",
    ]);
    let mut child = pair
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    std::io::Write::write_all(
        &mut child.stdin.take().expect("stdin"),
        format!("{code}\n").as_bytes(),
    )
    .expect("written");
    let finished = Finished::of(child.wait_with_output().expect("ends")).succeeded();

    assert!(
        !finished.stderr.contains(code) && !finished.stdout.contains(code),
        "{finished:#?}"
    );
    for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let bytes = std::fs::read(home.path().join(file)).unwrap_or_default();
        assert!(
            !bytes
                .windows(code.len())
                .any(|window| window == code.as_bytes()),
            "the code is in {file}"
        );
    }
}
