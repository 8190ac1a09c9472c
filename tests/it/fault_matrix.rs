//! Every fault against a whole extraction: how it ends, after how many requests, how many queries the practice ran
//! for it, and the object that is there once the fault has lifted.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate, Utc};
use halo_extract::catalog::Catalog;
use halo_extract::config::{Config, Layers};
use halo_extract::domain::{
    Due, Environment, Extraction, ExtractionState, FailureClass, Lane, Planned,
};
use halo_extract::extract::{Ended, Engine, Spool, work};
use halo_extract::ledger::Ledger;
use halo_extract::objects::Store;
use halo_extract::remote::Client;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::{Call, TRIES, expected, hasty_client, wire_faults};
use crate::fixture::Fixture;
use crate::harness::{Home, Simulator};
use crate::resume::received;
use crate::table::Table;

/// Rows of the fixture, which every window of these tests holds.
const ROWS: u64 = 3;

/// One fault and what must become of an extraction under it.
struct Case {
    name: String,
    /// Rules that stand together.
    faults: Vec<Value>,
    /// The endpoint whose requests are counted, and how many there must be; polls until a deadline are not counted.
    at: &'static str,
    requests: Option<u64>,
    /// `None` where the extraction succeeds all the same.
    class: Option<FailureClass>,
    /// Queries that the practice takes in all, until the object is there and was made once more without the fault.
    queries: usize,
}

#[tokio::test]
async fn every_fault_ends_in_its_class_and_once_lifted_in_the_whole_object() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let site = Site::of(&fixture, &simulator, &home);
    let mut table = Table::new(
        "fault of an extraction",
        &["at", "class", "requests", "queries", "rows afterwards"],
    );
    let mut wrong = Vec::new();

    let cases = wire_cases().into_iter().chain(site_cases());
    let cases = cases.chain(envelope_cases()).chain(harmless_cases());
    for (number, case) in cases.enumerate() {
        let extraction = site.plan(number);
        simulator.delete("counters");
        let before = accepted(&simulator);
        for fault in &case.faults {
            simulator.post("faults", &fault.to_string());
        }
        let class = site.run(&extraction).await;
        let requests = received(&simulator, case.at);
        simulator.delete("faults");
        site.run(&extraction).await;

        let queries = accepted(&simulator) - before;
        let rows = site.rows(&extraction);
        let told = |class: Option<FailureClass>| class.map_or("-".to_owned(), |it| it.to_string());
        let counted = case
            .requests
            .map_or("-".to_owned(), |_| requests.to_string());
        let published = rows.map_or("NONE".to_owned(), |rows| rows.to_string());
        table.row(&[
            &case.name,
            case.at,
            &told(class),
            &counted,
            &queries.to_string(),
            &published,
        ]);
        let found = (class, case.requests.map(|_| requests), queries, rows);
        let wanted = (case.class, case.requests, case.queries, Some(ROWS));
        if found != wanted {
            wrong.push(format!(
                "{} at {}: {found:?}, not {wanted:?}",
                case.name, case.at
            ));
        }
    }

    table.show();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every fault of the wire at every call that an extraction makes.
fn wire_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for call in [Call::Async, Call::Status, Call::Stream] {
        for (name, mut fault) in wire_faults() {
            fault["endpoints"] = json!([call.endpoint()]);
            let (class, requests) = expected(name, call);
            // A submission that was performed and not heard of is lost.
            let lost = matches!((name, call), ("cut", Call::Async));
            // While it waits for a result, the client looks again through passing faults until its deadline.
            let counts = call != Call::Status || requests == 1 && !name.starts_with("429");
            // A practice that may have moved is looked for before it is asked again.
            cases.push(Case {
                name: name.to_owned(),
                faults: vec![fault],
                at: call.endpoint(),
                requests: counts.then_some(requests),
                class: Some(class),
                queries: if lost { 2 } else { 1 },
            });
        }
    }
    cases
}

/// Every fault of a site and of a query at work, with the submissions it takes.
fn site_cases() -> Vec<Case> {
    use FailureClass as Class;
    let outcome = |status: &str| json!({"kind": "outcome", "status": status});
    let sql = |code: i64| json!({"kind": "sql_error", "code": code, "message": "told by a test"});
    let case = |fault: Value, class, requests, queries| Case {
        name: fault_name(&fault),
        faults: vec![fault],
        at: "async",
        requests: Some(requests),
        class: Some(class),
        queries,
    };
    let at_pages = |fault: Value, class| Case {
        at: "stream",
        ..case(fault, class, 1, 2)
    };
    // Half of the day each, so that it is closed at any time.
    let closed = |from: &str, until: &str| json!({"kind": "closed", "from": from, "until": until});
    vec![
        // Refused before anything ran: tried as often as any call, and asked once when the site is back.
        case(json!({"kind": "offline"}), Class::Site, TRIES, 1),
        case(json!({"kind": "unreachable"}), Class::Site, TRIES, 1),
        case(json!({"kind": "uninstalled"}), Class::Site, TRIES, 1),
        Case {
            faults: vec![closed("00:00", "12:00"), closed("12:00", "00:00")],
            ..case(json!({"kind": "closed"}), Class::Site, TRIES, 1)
        },
        // Taken and lost: asked anew.
        case(
            json!({"kind": "offline", "accepted": true}),
            Class::Site,
            1,
            2,
        ),
        case(
            json!({"kind": "unreachable", "accepted": true}),
            Class::Site,
            1,
            2,
        ),
        // At work for ever: the same query is looked at again, never another one posted.
        case(json!({"kind": "dies_after_dispatch"}), Class::Site, 1, 1),
        case(json!({"kind": "stuck"}), Class::Site, 1, 1),
        // Refused: said once, repeated never.
        case(json!({"kind": "removed"}), Class::Forbidden, 1, 1),
        case(json!({"kind": "unpaired"}), Class::Forbidden, 1, 1),
        case(json!({"kind": "ip_refused"}), Class::Forbidden, 1, 1),
        case(json!({"kind": "key_refused"}), Class::Auth, 1, 1),
        case(json!({"kind": "login_failed"}), Class::Forbidden, 1, 2),
        case(json!({"kind": "quota", "calls": 0}), Class::Limit, 1, 1),
        case(
            json!({"kind": "rate_limit", "calls": 0, "seconds": 31_536_000}),
            Class::Limit,
            1,
            1,
        ),
        // Every final state.
        case(outcome("initialisationFailedCacheError"), Class::Halo, 1, 2),
        case(
            outcome("initialisationFailedSiteOffline"),
            Class::Site,
            1,
            2,
        ),
        case(
            outcome("initialisationFailedSiteUnreachable"),
            Class::Site,
            1,
            2,
        ),
        case(outcome("expiredInQueue"), Class::Site, 1, 2),
        case(outcome("executionFailed"), Class::Site, 1, 2),
        case(outcome("uploadFailed"), Class::Halo, 1, 2),
        case(sql(1205), Class::Sql, 1, 2),
        case(sql(-2), Class::Sql, 1, 2),
        case(sql(208), Class::Sql, 1, 2),
        case(sql(4060), Class::Forbidden, 1, 2),
        at_pages(json!({"kind": "gone"}), Class::Gone),
        at_pages(json!({"kind": "lost_row"}), Class::Halo),
        // Taken, and the answer not heard: nobody can ask for its result.
        case(
            json!({"kind": "lost", "performed": true, "endpoints": ["async"]}),
            Class::Network,
            1,
            2,
        ),
        case(
            json!({"kind": "http", "status": 500, "performed": true, "endpoints": ["async"]}),
            Class::Halo,
            1,
            2,
        ),
    ]
}

/// Refusals in every shape of error body: the same class from each, the empty one included.
fn envelope_cases() -> Vec<Case> {
    use FailureClass as Class;
    let mut cases = Vec::new();
    for form in ["nested", "flat", "gateway", "details", "empty", "html"] {
        for (fault, at, class, queries) in [
            (json!({"kind": "unpaired"}), "async", Class::Forbidden, 1),
            (json!({"kind": "key_refused"}), "async", Class::Auth, 1),
            (
                json!({"kind": "quota", "calls": 0}),
                "async",
                Class::Limit,
                1,
            ),
            (json!({"kind": "gone"}), "stream", Class::Gone, 2),
        ] {
            cases.push(Case {
                name: format!("{}, {form} error", fault_name(&fault)),
                faults: vec![json!({"kind": "error_envelope", "form": form}), fault],
                at,
                requests: Some(1),
                class: Some(class),
                queries,
            });
        }
    }
    cases
}

/// What a good client does not even mention.
fn harmless_cases() -> Vec<Case> {
    let wire = |liberty: &str, value: Value| {
        let mut fault = json!({"kind": "wire"});
        fault[liberty] = value;
        (format!("wire {liberty}"), fault, 1)
    };
    let plain = |fault: Value, pages| (fault_name(&fault), fault, pages);
    let cases = [
        wire("unknown_fields", json!(true)),
        wire("unknown_values", json!(true)),
        wire("omit_optional", json!(true)),
        wire("numbers_as_text", json!(true)),
        wire("fraction_digits", json!(0)),
        wire("fraction_digits", json!(7)),
        wire("gzip", json!(true)),
        wire("stream", json!("envelope")),
        wire("stream", json!("text")),
        plain(json!({"kind": "delay", "time": "20ms"}), 1),
        plain(json!({"kind": "early_pages", "time": "100ms"}), 1),
        plain(
            json!({"kind": "late_pages", "time": "100ms", "reversed": true}),
            1,
        ),
        plain(json!({"kind": "page_size", "bytes": 10}), ROWS),
        plain(json!({"kind": "wide_row", "bytes": 2_000_000}), 2),
        plain(json!({"kind": "zero_rows"}), 1),
        plain(json!({"kind": "link_version", "version": "26.101.1"}), 1),
        plain(json!({"kind": "clock_skew", "seconds": 3600}), 1),
        plain(json!({"kind": "renamed", "practice_name": "Another"}), 1),
        // Immediate queries alone suffer.
        plain(json!({"kind": "stuck_channel"}), 1),
        plain(json!({"kind": "timeout"}), 1),
        plain(json!({"kind": "too_large"}), 1),
        plain(json!({"kind": "failure_in_success"}), 1),
    ];
    let case = |(name, fault, pages)| Case {
        name,
        faults: vec![fault],
        at: "stream",
        requests: Some(pages),
        class: None,
        queries: 2,
    };
    cases.into_iter().map(case).collect()
}

fn fault_name(fault: &Value) -> String {
    let words = ["kind", "status", "code", "accepted", "performed"];
    let said = words.iter().filter_map(|word| match &fault[*word] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some((*word).to_owned()),
        _ => None,
    });
    said.collect::<Vec<_>>().join(" ")
}

/// Queries that the practice was given, whatever became of them.
fn accepted(simulator: &Simulator) -> usize {
    let queries = simulator.control("queries");
    let queries = queries.as_array().expect("a list").iter();
    queries.filter(|query| query["mode"] == "async").count()
}

/// The one site of these tests, with its ledger.
struct Site {
    engine: Engine,
    url: String,
    key: String,
}

/// What attempts in the test's own process work with: an installation's, with little patience.
pub(crate) fn engine(fixture: &Fixture, simulator: &Simulator, home: &Home) -> Engine {
    let mut layers = Layers::defaults();
    let settings = [
        ("ENVIRONMENT", "simulator"),
        ("HALO__POLL_FIRST", "10ms"),
        ("HALO__POLL_LONGEST", "20ms"),
        ("HALO__QUERY_DEADLINE", "1s"),
        ("LIMITS__ATTEMPTS_PER_RUN", "1"),
    ];
    layers.variables(
        settings.map(|(name, value)| (format!("HALO_EXTRACT__{name}"), value.to_owned())),
    );
    let config = Config::new(layers).expect("valid settings");
    let lake = home.lake();
    let ledger = home.path().join("ledger.sqlite");
    Engine {
        environment: Environment::Simulator,
        client: hasty_client(simulator.url(), simulator.key()),
        ledger: Arc::new(Ledger::open(&ledger, Environment::Simulator).expect("a ledger")),
        store: Store::open(lake.to_str().expect("UTF-8")).expect("a store"),
        spool: Spool::open(home.path(), 1 << 20),
        catalog: Arc::new(Catalog::read(&fixture.queries()).expect("queries")),
        pseudonym_key: None,
        halo: config.halo,
        limits: config.limits,
        allow_empty: false,
        quiet: None,
        clock: Arc::new(Utc::now),
    }
}

impl Site {
    fn of(fixture: &Fixture, simulator: &Simulator, home: &Home) -> Self {
        Self {
            engine: engine(fixture, simulator, home),
            url: simulator.url().to_owned(),
            key: simulator.key().to_owned(),
        }
    }

    /// A window of its own for each case; all hold the same rows.
    fn plan(&self, number: usize) -> Extraction {
        let day = NaiveDate::from_ymd_opt(2026, 10, 31).expect("a day");
        let start = day - Days::new(number as u64);
        let extraction: Extraction = format!("s40001/visits@v1/{start}..2026-12-01")
            .parse()
            .expect("an extraction");
        let planned = Planned {
            extraction: extraction.clone(),
            lane: Lane::Manual,
            priority: 0,
            due: Due::Requested,
            not_before: Utc::now(),
        };
        let taken = self.engine.ledger.plan(&[planned], Utc::now());
        assert_eq!(taken.expect("a ledger").added.len(), 1);
        extraction
    }

    /// A run of its own, which remembers nothing of earlier ones; the class that it failed with.
    async fn run(&self, extraction: &Extraction) -> Option<FailureClass> {
        let _requested = self
            .engine
            .ledger
            .request_again(extraction, Utc::now())
            .expect("a ledger");
        let client: Client = hasty_client(&self.url, &self.key);
        let engine = Engine {
            client,
            ..self.engine.clone()
        };
        let worked = work(
            engine,
            "a test",
            vec![extraction.clone()],
            Arc::new(|_: &Extraction, _: halo_extract::extract::Progress<'_>| {}),
            CancellationToken::new(),
        );
        let finished = tokio::time::timeout(Duration::from_secs(60), worked)
            .await
            .expect("an end")
            .expect("a ledger");
        match &finished[0].ended {
            Ended::Published(_) => None,
            Ended::Again(error) | Ended::Later(error, _) | Ended::Failed(error) => {
                Some(error.class())
            }
            other => panic!("{extraction}: {other:?}"),
        }
    }

    /// Rows of the published object, if it is one.
    fn rows(&self, extraction: &Extraction) -> Option<u64> {
        let row = self.engine.ledger.extraction(extraction);
        let row = row.expect("a ledger").expect("planned");
        let object = row
            .object
            .filter(|_| row.state == ExtractionState::Succeeded)?;
        Some(object.rows)
    }
}
