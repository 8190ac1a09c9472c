//! The commands of query files: what each prints, and the message of each way it can fail.

use crate::fixture::{Fixture, HEADER, RUN, SQL, text};
use crate::harness::{Finished, Home};

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

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);

    let mut docs = home.command(&["query", "docs"]);
    let finished = Finished::of(docs.stdout(writer).output().expect("runs"));

    assert_eq!(finished.succeeded().stderr, "");
}

/// A query of people whose every value would point at one, were it shown.
const PEOPLE: &str = "/*---
purpose = \"People of the test practice.\"
owner   = \"tests\"
pms     = \"best-practice\"
mode    = \"snapshot\"
key     = [\"patient_id\"]
opt_out = \"The table has no opt-out.\"

[columns]
patient_id = { type = \"int not null\", class = \"identifier\", privacy = \"pseudonym\", of = \"patient\" }
born       = { type = \"datetime not null\", class = \"quasi\", privacy = \"year\" }
name       = { type = \"varchar(40)\", class = \"identifier\", privacy = \"keep\" }
phone      = { type = \"varchar(40)\", class = \"identifier\", privacy = \"drop\" }
weight     = { type = \"decimal(6,2)\", class = \"clinical\" }
---*/
";

const PEOPLE_SQL: &str =
    "SELECT v.id AS patient_id, v.seen AS born, v.note AS name, v.note AS phone, v.weight AS weight
FROM visits v WHERE @snapshot_date IS NOT NULL
";

const PEOPLE_ROWS: &str = "id,seen,weight,note,updated
880017,1956-03-21T09:30:00,71.50,Canary Nightingale,
880018,1971-07-09T10:00:00,,Canary O'Brien,
880019,1988-12-30T11:15:00,80.25,Canary Zoë,
";

#[test]
fn a_preview_shows_no_value_of_an_identifier() {
    let fixture = Fixture::with_rows(PEOPLE_ROWS);
    fixture.query("people", PEOPLE, PEOPLE_SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let preview = [
        "query", "preview", "people", "--site", "s40001", "--log", "trace",
    ];

    let with_key = home.run(&preview).succeeded();
    let without = Finished::of(
        home.command(&preview)
            .env_remove("HALO_EXTRACT_PSEUDONYM_KEY")
            .output()
            .expect("runs"),
    )
    .succeeded();

    for shown in [&with_key, &without] {
        for value in [
            "880017",
            "880018",
            "880019",
            "Canary",
            "Nightingale",
            "Brien",
            "1956-03",
            "07-09",
        ] {
            assert!(
                !shown.stdout.contains(value) && !shown.stderr.contains(value),
                "{value}: {shown:#?}"
            );
        }
        for value in ["1956", "1971", "1988", "71.50", "80.25", "***"] {
            assert!(shown.stdout.contains(value), "{value}: {}", shown.stdout);
        }
    }
    let pseudonyms = |shown: &Finished| {
        let is_one = |word: &&str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
        shown.stdout.split_whitespace().filter(is_one).count()
    };
    assert_eq!((pseudonyms(&with_key), pseudonyms(&without)), (3, 0));
}

#[test]
fn a_preview_brings_no_more_rows_than_asked_for() {
    let fixture = Fixture::with_rows(&crate::fixture::many_rows(500));
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let shown = home
        .run(&[
            "query",
            "preview",
            "visits",
            "--site",
            "s40001",
            "--limit",
            "3",
            "--from",
            "2026-11-01",
            "--to",
            "2026-12-01",
            "--output",
            "json",
        ])
        .succeeded()
        .json();

    let ids: Vec<&str> = shown
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["id"].as_str().expect("a text"))
        .collect();
    assert_eq!(ids, ["1", "2", "3"]);
    home.run(&[
        "query", "preview", "visits", "--site", "s40001", "--limit", "0",
    ])
    .failed(2, &["--limit"]);
}

#[test]
fn describe_agrees_with_a_right_contract_and_names_what_is_wrong_in_another() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let describe = ["query", "describe", "visits", "--site", "s40001"];

    let right = home.run(&describe).succeeded();
    assert!(
        right
            .stderr
            .contains("are what the server of s40001 describes"),
        "{}",
        right.stderr
    );
    fixture.query(
        "visits",
        &HEADER.replace("decimal(6,2)", "decimal(4,2)"),
        SQL,
    );
    let wrong = home
        .run(&describe)
        .failed(5, &["differ in 1 places", "--write"]);
    assert!(
        wrong
            .stdout
            .contains("it is `decimal(4,2)` in the contract and `decimal(6,2)` at the server"),
        "{}",
        wrong.stdout
    );
}

#[test]
fn describe_writes_a_contract_that_nobody_typed_into_a_file_that_never_ran() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let (header, _) = HEADER.split_once("[columns]").expect("columns");
    fixture.query("fresh", &format!("{header}---*/\n"), SQL);
    let file = fixture.queries().join("fresh/v1.sql");
    let file = file.to_str().expect("a path");
    home.run(&["query", "lint"]).failed(5, &["fresh"]);

    let describe = [
        "query", "describe", "--file", file, "--site", "s40001", "--write",
    ];
    let written = home.run(&describe).succeeded().stdout;

    assert!(
        written.contains("weight = { type = \"decimal(6,2)\", class = \"clinical\" }"),
        "{written}"
    );
    home.run(&["query", "lint"]).succeeded();
    home.run(&RUN).succeeded();
    let before = std::fs::read_to_string(file).expect("a file");
    home.run(&describe).failed(
        5,
        &["nothing was written", "fresh@v1 has run", "next version"],
    );
    assert_eq!(std::fs::read_to_string(file).expect("a file"), before);
}

#[test]
fn describe_keeps_what_a_person_decided() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let decided = HEADER.replace("decimal(6,2)", "decimal(4,2)").replace(
        "class = \"quasi\"",
        "class = \"quasi\", privacy = \"month\"",
    );
    fixture.query("visits", &decided, SQL);

    home.run(&["query", "describe", "visits", "--site", "s40001", "--write"])
        .succeeded();

    let text = std::fs::read_to_string(fixture.queries().join("visits/v1.sql")).expect("a file");
    assert!(text.contains("privacy = \"month\""), "{text}");
    assert!(text.contains("decimal(6,2)"), "{text}");
    assert!(text.ends_with(SQL), "{text}");
}

#[test]
fn a_statement_that_the_server_cannot_describe_is_said_with_the_way_out() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    fixture.query("visits", HEADER, &SQL.replace("FROM visits", "FROM gone"));

    home.run(&["query", "describe", "visits", "--site", "s40001"])
        .failed(5, &["gone", "write [columns] by hand"]);
    home.run(&["query", "describe", "--site", "s40001"])
        .failed(2, &["--file"]);
}

/// What SQL Server says of a procedure that it does not let us run, and of a function that it does not have.
const NO_PROCEDURE: &str = r#"{"kind": "sql_error", "code": 229, "times": 1, "message": "The EXECUTE permission was denied on the object 'sp_describe_first_result_set', database 'mssqlsystemresource', schema 'sys'."}"#;
const NO_FUNCTION: &str = r#"{"kind": "sql_error", "code": 208, "times": 1, "message": "Invalid object name 'sys.dm_exec_describe_first_result_set'."}"#;

#[test]
fn where_the_procedure_is_refused_the_function_describes_the_result() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let describe = ["query", "describe", "visits", "--site", "s40001"];
    simulator.post("faults", NO_PROCEDURE);

    let told = home.run(&describe).succeeded().stderr;

    assert!(
        told.contains("are what the server of s40001 describes"),
        "{told}"
    );
    let asked = simulator.control("queries").as_array().map(Vec::len);
    assert_eq!(asked, Some(2), "the procedure and the function");
    fixture.query("visits", HEADER, &SQL.replace("FROM visits", "FROM gone"));
    simulator.post("faults", NO_PROCEDURE);
    home.run(&describe)
        .failed(5, &["gone", "write [columns] by hand"]);
}

#[test]
fn where_nothing_describes_results_types_are_guessed_from_rows_and_said_to_be() {
    let today = chrono::Utc::now().date_naive();
    let fixture = Fixture::with_rows(&format!(
        "id,seen,weight,note,updated\n1,{today}T00:30:00,71.50,first,\n2,{today}T00:40:00,,second,\n"
    ));
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let describe = ["query", "describe", "visits", "--site", "s40001"];
    let draft = fixture.queries().with_file_name("draft.sql");
    std::fs::write(&draft, SQL).expect("written");
    let of_draft = [
        "query",
        "describe",
        "--file",
        text(&draft),
        "--site",
        "s40001",
    ];
    let refuse = || {
        simulator.post("faults", NO_PROCEDURE);
        simulator.post("faults", NO_FUNCTION);
    };

    refuse();
    let agreed = home.run(&describe).succeeded().stderr;
    refuse();
    let proposed = home.run(&of_draft).succeeded();
    refuse();
    let refused = home.run(&["query", "describe", "visits", "--site", "s40001", "--write"]);

    assert!(agreed.contains("guessed from at most 100 rows"), "{agreed}");
    assert!(
        agreed.contains("nothing in the sample contradicts"),
        "{agreed}"
    );
    for column in ["id ", "seen ", "weight ", "note "] {
        let found = proposed.stdout.lines().any(|line| line.starts_with(column));
        assert!(found, "{column}: {}", proposed.stdout);
    }
    assert!(proposed.stdout.contains("\"int\""), "{}", proposed.stdout);
    assert!(proposed.stderr.contains("guessed"), "{}", proposed.stderr);
    assert!(
        !format!("{proposed:?}").contains("first\""),
        "no value is shown: {proposed:?}"
    );
    refused.failed(5, &["nothing was written: a sample"]);
}

#[test]
fn drift_groups_what_does_not_fit_by_column_and_reason() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let none = home.run(&["status", "--drift"]).succeeded();
    assert!(none.stderr.contains("no extraction stands failed"));
    fixture.query(
        "visits",
        &HEADER.replace("decimal(6,2)", "decimal(4,0) not null"),
        SQL,
    );
    home.run(&RUN).failed(5, &["weight"]);

    let drift = home
        .run(&["status", "--drift", "--output", "json"])
        .succeeded()
        .json();

    let told: Vec<(&str, &str)> = drift
        .as_array()
        .expect("rows")
        .iter()
        .map(|it| {
            (
                it["column"].as_str().expect("a text"),
                it["reason"].as_str().expect("a text"),
            )
        })
        .collect();
    assert!(
        told.contains(&("weight", "is null where the contract says not null")),
        "{told:?}"
    );
    assert_eq!(drift[0]["query"], "visits@v1");
    assert_eq!(drift[0]["sites"], serde_json::json!(["s40001"]));
    assert_eq!(drift[0]["of_sites"], 1);
    let table = home.run(&["status", "--drift"]).succeeded().stdout;
    assert!(table.contains("1 of 1"), "{table}");
    assert!(table.contains("all best-practice"), "{table}");
}

#[test]
fn drift_also_tells_a_column_that_a_site_does_not_have() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    fixture.query("visits", HEADER, &SQL.replace("v.weight AS", "v.mass AS"));
    home.run(&RUN).failed(
        5,
        &["mass", "status --drift", "column of opt-outs", "on purpose"],
    );

    let drift = home
        .run(&["status", "--drift", "--output", "json"])
        .succeeded()
        .json();

    assert_eq!(drift.as_array().expect("rows").len(), 1);
    assert_eq!(drift[0]["column"], "mass");
    assert_eq!(drift[0]["reason"], "is no column of the site's tables");
}

#[test]
fn another_pseudonym_key_is_refused_until_it_is_rotated_on_purpose() {
    let fixture = Fixture::with_rows(PEOPLE_ROWS);
    fixture.query("people", PEOPLE, PEOPLE_SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let with_other_key = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env(
            "HALO_EXTRACT_PSEUDONYM_KEY",
            "another synthetic secret of tests, long enough too",
        );
        Finished::of(command.output().expect("runs"))
    };
    let rotate = ["privacy", "rotate-key", "--reason", "a test"];
    let again = ["run", "--query", "people", "--again"];
    with_other_key(&rotate).failed(2, &["no pseudonym key is in use yet"]);
    home.run(&["run", "--query", "people"]).succeeded();
    home.run(&rotate)
        .failed(2, &["is the one in use", "HALO_EXTRACT_PSEUDONYM_KEY"]);

    with_other_key(&again).failed(78, &["pseudonym key has the id", "privacy rotate-key"]);
    with_other_key(&rotate).failed(
        2,
        &[
            "1 objects (1 queries, 1 sites)",
            "nothing was changed",
            "--yes",
        ],
    );
    with_other_key(&again).failed(78, &["put the former key back"]);

    let yes = [
        "privacy",
        "rotate-key",
        "--reason",
        "a test",
        "--yes",
        "--output",
        "json",
    ];
    let rotated = with_other_key(&yes).succeeded().json();
    assert_eq!(rotated[0]["rotated"], true);
    assert_eq!(rotated[0]["objects"], 1);
    let audited = home.run(&["audit", "tail", "-n", "1", "--output", "json"]);
    let audited = audited.succeeded().json();
    assert_eq!(audited[0]["action"], "rotate-key");
    assert_eq!(audited[0]["reason"], "a test");
    assert!(
        !audited.to_string().contains("synthetic secret"),
        "{audited}"
    );
    with_other_key(&again).succeeded();
    home.run(&again).failed(78, &["pseudonym key has the id"]);
}
