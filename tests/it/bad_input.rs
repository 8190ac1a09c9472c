//! Bad input: each gets a message that says what, why and what next, the right exit code, no published object,
//! and the same command succeeds once it is mended.

use crate::fixture::{Fixture, HEADER, RUN, SQL, text};
use crate::harness::Home;

#[test]
fn a_broken_header_is_refused_with_file_line_and_what_to_write() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    fixture.query(
        "visits",
        &HEADER.replace("mode      = \"incremental\"", "mode      = \"sometimes\""),
        SQL,
    );

    home.run(&["query", "lint"])
        .failed(5, &["visits/v1.sql:5", "sometimes", "incremental"]);
    home.run(&RUN).failed(5, &["visits/v1.sql:5"]);
    assert_eq!(home.objects().len(), 0);

    fixture.query("visits", HEADER, SQL);
    home.run(&RUN).succeeded();
    assert_eq!(home.objects().len(), 1);
}

#[test]
fn all_problems_of_all_files_are_reported_at_once() {
    let fixture = Fixture::new();
    fixture.query(
        "visits",
        &HEADER.replace("owner     = \"tests\"\n", "ownr      = \"tests\"\n"),
        SQL,
    );
    fixture.query(
        "other",
        &HEADER.replace("int not null", "integr not null"),
        SQL,
    );
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());

    home.run(&["query", "lint"]).failed(
        5,
        &["visits/v1.sql:3", "`owner`", "other/v1.sql:12", "integr"],
    );
}

#[test]
fn an_unknown_type_is_refused() {
    let fixture = Fixture::new();
    fixture.query(
        "visits",
        &HEADER.replace("decimal(6,2)", "decimal(60,2)"),
        SQL,
    );
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());

    home.run(&["query", "lint"]).failed(
        5,
        &[
            "visits/v1.sql:14",
            "decimal(60,2)",
            "is not a SQL Server type",
        ],
    );
}

#[test]
fn sql_that_writes_is_refused_and_never_sent() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for sql in [
        "DELETE FROM visits\n",
        "SELECT v.id AS id INTO copy FROM visits v\n",
        "EXEC BP_AddPatient\n",
    ] {
        fixture.query("visits", HEADER, sql);
        home.run(&RUN).failed(5, &["visits/v1.sql", "SELECT"]);
    }

    assert_eq!(home.objects().len(), 0);
    assert_eq!(submissions(&simulator), 0);
}

#[test]
fn a_wrong_key_is_an_auth_failure_that_names_the_variable() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let output = home
        .command(&RUN)
        .env("HALO_SUBSCRIPTION_KEY", "canary-wrong-key")
        .output()
        .expect("runs");
    let finished = crate::harness::Finished::of(output).failed(77, &["HALO_SUBSCRIPTION_KEY"]);

    assert!(!finished.stderr.contains("canary"), "{}", finished.stderr);
    assert_eq!(home.objects().len(), 0);
    home.run(&RUN).succeeded();
}

#[test]
fn a_missing_key_is_a_config_failure() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let output = home
        .command(&RUN)
        .env_remove("HALO_SUBSCRIPTION_KEY")
        .output()
        .expect("runs");

    crate::harness::Finished::of(output)
        .failed(78, &["HALO_SUBSCRIPTION_KEY", "HALO_SUBSCRIPTION_KEY_FILE"]);
}

#[test]
fn a_wrong_pairing_code_asks_for_a_new_one_and_registers_nothing() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let id = simulator.sites()[0]["pms_id"].as_str().expect("id");

    let finished = home
        .run(&["site", "pair", "--pms-id", id, "--code", "CANARY9"])
        .failed(
            77,
            &[
                "pairing",
                "new pairing code",
                "Setup > Configuration > Database",
            ],
        );

    assert!(!finished.stderr.contains("CANARY9"), "{}", finished.stderr);
    assert_eq!(
        home.run(&["site", "list", "--output", "json"])
            .succeeded()
            .json(),
        serde_json::json!([])
    );
}

#[test]
fn an_unknown_site_names_the_nearest() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&["run", "--site", "s40002"])
        .failed(2, &["there is no site s40002", "s40001"]);
}

#[test]
fn a_site_that_is_not_activated_is_not_extracted_from() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let site = &simulator.sites()[0];
    let (id, code) = (
        site["pms_id"].as_str().expect("id"),
        site["pairing_code"].as_str().expect("code"),
    );
    home.run(&["site", "pair", "--pms-id", id, "--code", code])
        .succeeded();

    home.run(&["run", "--site", &format!("s{id}")])
        .failed(2, &["held", "site activate"]);

    assert_eq!(submissions(&simulator), 0);
}

#[test]
fn an_unreachable_server_is_said_with_its_way_out_and_costs_nothing() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    drop(simulator);

    home.run(&RUN).failed(69, &["no connection", "--halo-url"]);

    assert_eq!(home.objects().len(), 0);
}

#[test]
fn a_disk_that_refuses_is_said_and_the_next_run_goes_on_with_the_same_remote_query() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let blocked = home.path().join("blocked");
    std::fs::write(&blocked, "a file stands here").expect("written");

    let mut arguments = RUN.to_vec();
    arguments.extend(["--storage", text(&blocked)]);
    home.run(&arguments).failed(69, &["blocked", "--storage"]);
    assert_eq!(home.objects().len(), 0);

    home.run(&RUN).succeeded();
    assert_eq!(home.objects().len(), 1);
    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn a_config_typo_is_refused_with_the_nearest_key() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let config = home.path().join("typo.toml");
    std::fs::write(&config, "[limits]\nextraction_at_once = 3\n").expect("written");

    home.run(&["--config", text(&config), "status"])
        .failed(78, &["typo.toml:2", "`limits.extractions_at_once`"]);
}

#[test]
fn a_result_that_does_not_fit_its_contract_names_column_and_row_and_no_value() {
    let fixture = Fixture::with_rows(
        "id,seen,weight,note,updated\n1,2026-11-01T09:30:00,7771.50,canary note,\n",
    );
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    fixture.query(
        "visits",
        &HEADER
            .replace("decimal(6,2)", "decimal(4,2)")
            .replace("varchar(40)", "int"),
        SQL,
    );

    let finished = home
        .run(&RUN)
        .failed(5, &["visits@v1", "weight", "note", "row 1"]);

    assert!(!finished.stderr.contains("7771"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("canary"), "{}", finished.stderr);
    assert_eq!(home.objects().len(), 0);
}

#[test]
fn an_edited_version_that_has_run_is_refused_with_the_way_out() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    fixture.query(
        "visits",
        HEADER,
        &SQL.replace("ORDER BY v.id", "ORDER BY v.seen"),
    );

    let mut again = RUN.to_vec();
    again.push("--again");
    home.run(&again).failed(
        5,
        &["visits@v1", "changed after it had run", "next version"],
    );

    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn a_ledger_of_another_environment_is_refused() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&["status", "--environment", "staging"])
        .failed(1, &["simulator", "staging"]);
}

/// Queries that the simulator was asked to run, as it counted them.
fn submissions(simulator: &crate::harness::Simulator) -> u64 {
    crate::resume::submissions(simulator)
}
