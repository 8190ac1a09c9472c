//! `why`: how a site or an extraction stands, since when and why, who mends it, and a next command that exists.

use crate::fixture::{Fixture, HEADER, RUN, SQL};
use crate::harness::{Finished, Home};
use crate::resume::submissions;
use crate::snapshot::matches_snapshot;

const VISITS: &str = "s40001/visits@v1/2026-11-01..2026-12-01";

/// What `why` says as JSON.
fn why(home: &Home, subject: &str) -> serde_json::Value {
    home.run(&["why", subject, "--output", "json"])
        .succeeded()
        .json()
}

fn snapshot(home: &Home, name: &str, subject: &str) {
    matches_snapshot(name, &home.run(&["why", subject]).told(home));
}

/// Carries out the command that `why` gave for asking again, but only to see what it would ask.
fn would_ask(home: &Home, command: &str) -> serde_json::Value {
    let words: Vec<&str> = command.split_whitespace().collect();
    assert_eq!(words[..2], ["halo-extract", "run"], "{command}");
    home.run(&[&words[1..], &["--dry-run", "--output", "json"]].concat())
        .succeeded()
        .json()
}

fn fact<'a>(explanation: &'a serde_json::Value, name: &str) -> &'a str {
    explanation["facts"]
        .as_array()
        .expect("facts")
        .iter()
        .find(|fact| fact["name"] == name)
        .unwrap_or_else(|| panic!("no fact {name}: {explanation:#}"))["value"]
        .as_str()
        .expect("a text")
}

#[test]
fn a_site_tells_its_state_since_when_by_whom_and_the_next_command() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");

    home.run(&["site", "pair", "--pms-id", "40001", "--code", code])
        .succeeded();
    snapshot(&home, "why_site_held", "s40001");
    for (name, arguments) in [
        (
            "why_site_new",
            &["activate", "s40001", "--reason", "agreement signed"][..],
        ),
        ("why_site_paused", &["pause", "s40001"]),
        (
            "why_site_withdrawn",
            &["withdraw", "s40001", "--reason", "practice closed"],
        ),
    ] {
        home.run(&[&["site"], arguments].concat()).succeeded();
        snapshot(&home, name, "s40001");
    }
    let told = why(&home, "s40001");
    assert_eq!(told["who"], "the operator");
    assert!(told["since"].is_string(), "{told:#}");
    assert_eq!(submissions(&simulator), 0, "it asks nobody");
}

#[test]
fn what_is_published_needs_nobody_and_leaves_no_setback_behind() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "offline"}"#);
    assert_ne!(home.run(&RUN).code, Some(0));
    simulator.delete("faults");

    home.run(&RUN).succeeded();

    snapshot(&home, "why_published", VISITS);
    snapshot(&home, "why_site_well", "s40001");
    let told = why(&home, VISITS);
    assert_eq!(told["who"], serde_json::Value::Null);
    let next = told["next"].as_str().expect("next");
    let again = next.split_once(": ").expect("a command").1;
    let planned = would_ask(&home, again);
    assert_eq!(planned[0]["window"], "2026-11-01..2026-12-01");
}

#[test]
fn an_offline_site_is_the_practices_to_mend_and_waits_until_a_time() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "offline"}"#);
    home.run(&RUN).failed(69, &["offline"]);

    snapshot(&home, "why_offline", VISITS);
    snapshot(&home, "why_site_offline", "s40001");

    let told = why(&home, VISITS);
    assert_eq!(told["state"], "pending (site-offline)");
    assert_eq!(told["who"], "the practice");
    assert_ne!(fact(&told, "may start"), "now");
    assert_eq!(told["attempts"][0]["failure"], "site");
    home.run(&["site", "hold", "s40001", "--reason", "test"])
        .succeeded();
    snapshot(&home, "why_held_extraction", VISITS);
}

#[test]
fn a_failure_is_told_as_it_was_told_then_and_the_command_asks_exactly_that_again() {
    let fixture = Fixture::new();
    let canary = "Zebedee Canarywood";
    fixture.query(
        "broken",
        HEADER,
        &SQL.replace("v.weight AS weight", "v.note AS weight"),
    );
    fixture.query(
        "absent",
        HEADER,
        &SQL.replace("FROM visits", "FROM not_there"),
    );
    std::fs::write(
        fixture.data().join("visits.csv"),
        format!("id,seen,weight,note,updated\n1,2026-11-01T09:30:00,71.50,{canary},\n"),
    )
    .expect("written");
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN)
        .failed(3, &["failed (contract)", "not_there"]);

    for (name, query) in [("why_contract", "broken"), ("why_sql", "absent")] {
        let subject = format!("s40001/{query}@v1/2026-11-01..2026-12-01");
        let text = home.run(&["why", &subject]).succeeded();
        assert!(!text.stdout.contains("Canarywood"), "{text:#?}");
        matches_snapshot(name, &text.told(&home));
        let told = why(&home, &subject);
        assert_eq!(told["who"], "the query's author");
        assert_eq!(
            would_ask(&home, fact(&told, "then ask again")),
            serde_json::json!([
                {"site": "s40001", "query": format!("{query}@v1"), "window": "2026-11-01..2026-12-01", "reason": "requested"}
            ])
        );
    }
    snapshot(&home, "why_site_failed", "s40001");
}

#[test]
fn a_spent_budget_is_counted_and_waits_for_the_month() {
    let fixture = Fixture::new();
    fixture.query("visits_too", HEADER, SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let with_budget = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        // One of them asks the database what it calls itself.
        command.env("HALO_EXTRACT__LIMITS__QUERIES_PER_SITE_MONTH", "2");
        Finished::of(command.output().expect("runs"))
    };
    with_budget(&RUN).failed(3, &["are spent"]);

    let told = with_budget(&["why", "s40001", "--output", "json"])
        .succeeded()
        .json();

    assert_eq!(fact(&told, "budget"), "2 of 2 queries posted this month");
    let group = &told["unfinished"][0];
    assert_eq!(group["state"], "pending (budget-spent)");
    assert_eq!(group["extractions"], 1);
    assert_eq!(group["who"], "time");
    let next = told["next"].as_str().expect("next");
    assert!(next.contains("limits.queries_per_site_month"), "{next}");
    assert!(
        group["not_before"]
            .as_str()
            .expect("when")
            .contains("-01T00:00:00"),
        "{group:#}"
    );
}

#[test]
fn a_site_under_review_tells_how_to_settle_it() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post(
        "faults",
        r#"{"kind": "moved", "practice_name": "Elsewhere Clinic"}"#,
    );
    home.run(&RUN).failed(77, &["another practice"]);

    snapshot(&home, "why_site_review", "s40001");
    snapshot(&home, "why_review", VISITS);
}

#[test]
fn what_is_not_there_is_told_with_what_to_type() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    for (name, subject) in [
        ("why_never_planned", VISITS),
        ("why_no_site", "s4001"),
        ("why_no_subject", "s40001/visits/2026-11-01"),
    ] {
        let refused = home.run(&["why", subject]);
        matches_snapshot(name, &refused.told(&home));
        assert_eq!(refused.code, Some(2), "{name}");
    }
}
