//! A practice that refuses a table: its view is asked instead, from then on, and the object says so.

use chrono::{DateTime, TimeDelta, Utc};
use halo_extract::domain::{Environment, QueryId, SiteKey, VariantName};
use halo_extract::ledger::Ledger;
use halo_extract::objects::Store;

use crate::fixture::text;
use crate::harness::{Home, Simulator, project};

/// The first practice of a fleet whose table CURRENTRX cannot be read.
const REFUSING: &str = "s40006";
/// One whose table can.
const OPEN: &str = "s40001";

fn fleet() -> (Simulator, Home) {
    let simulator = Simulator::start(&["--practices", "6", "--patients", "30"]);
    let home = Home::new(&simulator, &project().join("queries"));
    home.pair_all(&simulator);
    (simulator, home)
}

fn run(home: &Home, site: &str, from: &str, to: &str) -> serde_json::Value {
    let told = home
        .run(&[
            "run",
            "--site",
            site,
            "--query",
            "current_medication",
            "--from",
            from,
            "--to",
            to,
            "--output",
            "json",
        ])
        .succeeded()
        .json();
    told[0].clone()
}

/// Commands that the practice was sent, immediate ones among them, besides the one before its first extraction
/// that asks its database what it calls itself.
fn asked(simulator: &Simulator) -> usize {
    let commands = simulator.control("queries");
    commands.as_array().expect("a list").len() - 1
}

fn ledger(home: &Home) -> Ledger {
    Ledger::open(&home.path().join("ledger.sqlite"), Environment::Simulator).expect("a ledger")
}

fn query() -> QueryId {
    "current_medication@v1".parse().expect("an id")
}

fn view() -> VariantName {
    "view".parse().expect("a name")
}

fn site(key: &str) -> SiteKey {
    key.parse().expect("a key")
}

/// Makes the ledger say that a site has been asked the view for so long.
fn chosen_since(home: &Home, key: &str, ago: TimeDelta) -> DateTime<Utc> {
    let then = Utc::now() - ago;
    ledger(home)
        .choose_variant(&site(key), &query(), &view(), "refused in a test", then)
        .expect("recorded");
    then
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_that_refuses_the_table_is_asked_its_view_and_the_object_says_so() {
    let (simulator, home) = fleet();

    let first = run(&home, REFUSING, "2026-11-01", "2026-11-08");
    let asked_first = asked(&simulator);
    let second = run(&home, REFUSING, "2026-11-08", "2026-11-09");

    assert_eq!(
        (&first["variant"], &first["attempts"]),
        (&"view".into(), &2.into())
    );
    assert_eq!(
        (&second["variant"], &second["attempts"]),
        (&"view".into(), &1.into())
    );
    assert!(first["rows"].as_u64() > Some(0));
    assert_eq!(first["rows"], second["rows"], "each is the whole");
    // Its own statement, a probe of the view, the view; and from then on the view alone.
    assert_eq!((asked_first, asked(&simulator)), (3, 4));
    let store = Store::open(text(&home.lake())).expect("the lake");
    let (objects, wrong) = store
        .recover(Environment::Simulator)
        .await
        .expect("objects");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(objects.len(), 2);
    for object in objects {
        assert_eq!(object.provenance.variant, Some(view()));
    }
    let choice = ledger(&home)
        .variant_choice(&site(REFUSING), &query())
        .expect("readable");
    let choice = choice.expect("a choice");
    assert!(
        choice.reason.contains("229") || choice.reason.contains("CURRENTRX"),
        "{choice:?}"
    );
}

#[test]
fn where_the_table_can_be_read_nothing_more_than_the_query_is_asked() {
    let (simulator, home) = fleet();

    let told = run(&home, OPEN, "2026-11-01", "2026-11-08");

    assert_eq!(told["variant"], serde_json::Value::Null);
    assert_eq!(told["attempts"], 1);
    assert_eq!(asked(&simulator), 1);
}

#[test]
fn a_practice_that_lets_the_table_be_read_again_is_asked_its_table_again_after_a_week() {
    let (simulator, home) = fleet();
    let then = chosen_since(&home, OPEN, TimeDelta::days(6));
    let early = run(&home, OPEN, "2026-11-01", "2026-11-08");
    let asked_early = asked(&simulator);
    chosen_since(&home, OPEN, TimeDelta::days(8));

    let late = run(&home, OPEN, "2026-11-08", "2026-11-09");

    assert_eq!(
        (&early["variant"], asked_early),
        (&"view".into(), 1),
        "since {then}"
    );
    assert_eq!(late["variant"], serde_json::Value::Null);
    assert_eq!(asked(&simulator), 3, "the view; then a probe and the table");
    let choice = ledger(&home)
        .variant_choice(&site(OPEN), &query())
        .expect("readable");
    assert_eq!(choice, None);
}

#[test]
fn a_practice_that_still_refuses_after_a_week_stays_with_the_view() {
    let (simulator, home) = fleet();
    let then = chosen_since(&home, REFUSING, TimeDelta::days(8));

    let told = run(&home, REFUSING, "2026-11-01", "2026-11-08");

    assert_eq!(
        (&told["variant"], &told["attempts"]),
        (&"view".into(), &1.into())
    );
    assert_eq!(asked(&simulator), 2, "a probe and the view");
    let choice = ledger(&home)
        .variant_choice(&site(REFUSING), &query())
        .expect("readable");
    let choice = choice.expect("it stands");
    assert_eq!(choice.since.timestamp_millis(), then.timestamp_millis());
    assert!(choice.looked > then + TimeDelta::days(7));
}

#[test]
fn a_practice_that_takes_no_statement_fails_with_what_its_server_said() {
    let (simulator, home) = fleet();
    simulator.post(
        "faults",
        r#"{"kind": "sql_error", "code": 229, "message": "The SELECT permission was denied on the object 'CURRENTRX', database 'BPSPatients', schema 'dbo'."}"#,
    );

    let finished = home.run(&["run", "--site", OPEN, "--query", "current_medication"]);

    assert_ne!(finished.code, Some(0));
    assert!(
        finished.stderr.contains("SELECT permission was denied"),
        "{finished:#?}"
    );
    assert!(!finished.stderr.contains("from now on"), "{finished:#?}");
    let choice = ledger(&home)
        .variant_choice(&site(OPEN), &query())
        .expect("readable");
    assert_eq!(choice, None);
    assert_eq!(home.objects().len(), 0);
}

#[test]
fn who_is_asked_a_variant_is_shown_with_the_query() {
    let (_simulator, home) = fleet();
    run(&home, REFUSING, "2026-11-01", "2026-11-08");

    let shown = home
        .run(&["query", "show", "current_medication"])
        .succeeded()
        .stdout;
    let document = home
        .run(&["query", "show", "current_medication", "--output", "json"])
        .succeeded()
        .json();

    assert!(shown.contains("s40006 is asked `view` since"), "{shown}");
    assert_eq!(document["variants"][0]["brings"], "whole");
    assert_eq!(document["asked_by_variant"][0]["site"], REFUSING);
}
