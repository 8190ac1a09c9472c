//! The commands of query files: what each prints, and the message of each way it can fail.

use crate::fixture::{Fixture, HEADER, RUN, SQL};
use crate::harness::Home;

#[test]
fn lint_tells_an_edited_version_that_has_run_and_the_way_out() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    home.run(&["query", "lint"]).succeeded();

    fixture.query("visits", HEADER, &SQL.replace("v.id\n", "v.seen\n"));
    let finished = home.run(&["query", "lint", "--output", "json"]).failed(
        5,
        &[
            "visits@v1 was changed after it had run",
            "restore the file as it ran",
            "v2.sql",
        ],
    );
    assert!(
        finished.json()[0]["what"]
            .as_str()
            .expect("a text")
            .contains("visits@v1")
    );

    fixture.query("visits", HEADER, SQL);
    home.run(&["query", "lint"]).succeeded();
}

#[test]
fn lint_makes_no_ledger_and_white_space_is_no_edit() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let fresh = Home::new(&simulator, &fixture.queries());
    fresh.run(&["query", "lint"]).succeeded();
    assert!(!fresh.path().join("ledger.sqlite").exists());

    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    fixture.query("visits", HEADER, &SQL.replace('\n', "\r\n   "));
    home.run(&["query", "lint"]).succeeded();
}

#[test]
fn show_tells_what_a_query_is_and_since_when_it_is_frozen() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let before = home.run(&["query", "show", "visits"]).succeeded().stdout;
    for text in [
        "visits@v1",
        "Visits of the test practice.",
        "decimal(6,2)",
        "incremental, overlap 0 days",
        "never run",
    ] {
        assert!(before.contains(text), "{text}: {before}");
    }
    home.run(&RUN).succeeded();
    let shown = home
        .run(&["query", "show", "visits@v1", "--output", "json"])
        .succeeded()
        .json();
    assert!(shown["frozen_since"].is_string(), "{shown}");
    assert_eq!(shown["columns"][0]["type"], "int not null");
    assert_eq!(shown["key"], serde_json::json!(["id"]));

    let sql = home.run(&["query", "show", "visits", "--sql"]).succeeded();
    assert_eq!(sql.stdout, SQL);
    home.run(&["query", "show", "visit"])
        .failed(2, &["no query is named `visit`", "`visits`"]);
}

#[test]
fn diff_tells_what_a_new_version_means_for_its_readers() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let second = HEADER.replace("decimal(6,2)", "decimal(8,2)");
    std::fs::write(
        fixture.queries().join("visits/v2.sql"),
        format!("{second}{SQL}"),
    )
    .expect("written");

    let finished = home
        .run(&[
            "query",
            "diff",
            "visits@v1",
            "visits@v2",
            "--output",
            "json",
        ])
        .succeeded();
    let changes = finished.json();
    assert_eq!(changes.as_array().expect("changes").len(), 1);
    assert_eq!(changes[0]["weight"], "breaking");
    assert_eq!(changes[0]["part"], "contract");
    let what = changes[0]["what"].as_str().expect("a text");
    assert!(
        what.contains("`weight`") && what.contains("decimal(8,2)"),
        "{what}"
    );
    let same = home
        .run(&["query", "diff", "visits@v1", "visits@v1"])
        .succeeded();
    assert!(same.stderr.contains("are alike"), "{}", same.stderr);
    home.run(&["query", "diff", "visits@v1", "visits@v3"])
        .failed(2, &["visits@v2"]);
}

#[test]
fn docs_print_the_dictionary_for_people_and_for_programs() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());

    let markdown = home.run(&["query", "docs"]).succeeded().stdout;
    assert!(markdown.starts_with("# Data dictionary"), "{markdown}");
    assert!(
        markdown.contains("| weight | `decimal(6,2)` | clinical | as it is |"),
        "{markdown}"
    );
    let json = home
        .run(&["query", "docs", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["queries"][0]["columns"][2]["name"], "weight");
}
