//! The demo, as its reader would run it, and the queries that it tells the reader to paste.

use std::process::Command;

use crate::harness::{Finished, PROGRAM, project, python, run_python};

#[test]
fn the_demo_runs_a_night_of_three_practices_with_nothing_but_the_program() {
    let home = tempfile::tempdir().expect("a folder");

    let finished = demo(home.path());

    let outcomes = finished.json();
    let outcomes = outcomes.as_array().expect("outcomes");
    let sites: std::collections::BTreeSet<&str> = outcomes
        .iter()
        .map(|outcome| outcome["site"].as_str().expect("site"))
        .collect();
    assert_eq!(sites.len(), 3);
    for outcome in outcomes {
        assert_eq!(outcome["state"], "succeeded", "{outcome:#}");
        let counts: std::collections::BTreeSet<u64> = outcome["proof"]
            .as_object()
            .expect("proof")
            .values()
            .map(|count| count.as_u64().expect("a count"))
            .collect();
        assert_eq!(counts.len(), 1, "{outcome:#}");
        assert!(
            counts.contains(&outcome["rows"].as_u64().expect("rows")),
            "{outcome:#}"
        );
    }
    for query in [
        "patient@v1",
        "visit@v1",
        "observation@v1",
        "immunisation@v1",
        "condition@v1",
    ] {
        let rows: u64 = outcomes
            .iter()
            .filter(|it| it["query"] == query)
            .map(|it| it["rows"].as_u64().expect("rows"))
            .sum();
        assert!(rows > 0, "{query} has no rows");
    }

    let Some(python) = python() else { return };
    let printed = home.path().join("printed.txt");
    std::fs::write(&printed, &finished.stderr).expect("written");
    let answers = run_python(&python, "paste_queries.py", &[&printed]);
    assert_eq!(answers.trim(), "3 queries, all with rows");
}

#[test]
fn the_demo_can_be_run_again() {
    let home = tempfile::tempdir().expect("a folder");

    let first = demo(home.path()).json();
    let second = demo(home.path()).json();

    let path = |outcomes: &serde_json::Value| -> Vec<serde_json::Value> {
        outcomes
            .as_array()
            .expect("outcomes")
            .iter()
            .map(|outcome| outcome["path"].clone())
            .collect()
    };
    assert_eq!(path(&first), path(&second));
}

#[track_caller]
fn demo(home: &std::path::Path) -> Finished {
    let output = Command::new(PROGRAM)
        .args(["demo", "--patients", "60", "--output", "json", "--home"])
        .arg(home)
        .current_dir(project())
        .output()
        .expect("runs");
    Finished::of(output).succeeded()
}
