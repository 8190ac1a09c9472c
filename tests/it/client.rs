//! The client against the simulator, neither of which knows the other: every wire fault at every call, and
//! every fault of a site, ends in the right class after the right number of requests, and is over when the
//! fault is.

use std::time::Duration;

use halo_extract::domain::{FailureClass, HaloGuid, Mender, PmsId, PmsType, RemoteQueryId};
use halo_extract::remote::{
    BackOff, Cause, Client, Identity, KnownSite, Parameter, Patience, RemoteError, Settings,
    Statement, reconsider, webhook,
};
use halo_extract::simulator;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::table::Table;

/// Tries of each call in these tests.
pub(crate) const TRIES: u64 = 3;

pub(crate) const PATIENTS: &str =
    "SELECT p.INTERNALID AS id, p.SURNAME AS name FROM PATIENTS p WHERE p.INTERNALID > @id";

/// A client that tries as often as any other and does not pause long between.
pub(crate) fn hasty_client(url: &str, key: &str) -> Client {
    let pause = Duration::from_millis(1);
    Client::new(Settings {
        base_url: url.parse().expect("a URL"),
        key: key.into(),
        max_attempts: u32::try_from(TRIES).expect("few"),
        back_off: BackOff {
            first: pause,
            most: pause,
            patience: Duration::from_secs(5),
        },
        // Long enough for a busy machine to run a query, short enough for a test to wait for.
        stuck_after: Duration::from_millis(800),
        ..Settings::default()
    })
    .expect("a client")
}

/// A running simulator with one paired practice.
pub(crate) struct Cloud {
    pub(crate) ready: simulator::Ready,
    control: reqwest::Client,
    _serving: AbortOnDropHandle<()>,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        Self::start_with(simulator::Webhooks::default()).await
    }

    pub(crate) async fn start_with(webhooks: simulator::Webhooks) -> Self {
        let source = simulator::Source::Generated {
            practices: 1,
            patients: 120,
        };
        let simulator = simulator::Simulator::start(simulator::Settings {
            page_size_bytes: 1500,
            paired: true,
            webhooks,
            ..simulator::Settings::new(source)
        })
        .await
        .expect("a simulator");
        let ready = simulator.ready().clone();
        let serving = tokio::spawn(simulator.run_until(CancellationToken::new()));
        Self {
            ready,
            control: reqwest::Client::builder()
                .tls_certs_only([])
                .no_proxy()
                .build()
                .expect("a client"),
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    /// A client that remembers nothing of earlier faults.
    pub(crate) fn client(&self) -> Client {
        hasty_client(&self.ready.url, &self.ready.subscription_key)
    }

    pub(crate) fn guid(&self) -> HaloGuid {
        HaloGuid(self.ready.sites[0].halo_guid)
    }

    fn pms_id(&self) -> PmsId {
        self.ready.sites[0].pms_id.parse().expect("an id")
    }

    pub(crate) async fn set_fault(&self, fault: &Value) {
        let url = format!("{}/simulator/faults", self.ready.url);
        let sent = self.control.post(url).body(fault.to_string()).send().await;
        let answer = sent.expect("an answer");
        let status = answer.status();
        assert!(status.is_success(), "{fault}: {:?}", answer.text().await);
    }

    async fn lift_faults(&self) {
        for document in ["faults", "counters"] {
            let url = format!("{}/simulator/{document}", self.ready.url);
            let sent = self.control.delete(url).send().await;
            assert!(sent.expect("an answer").status().is_success());
        }
    }

    /// What the receiver answered to each sending of the only webhook, once there are `sendings`.
    pub(crate) async fn webhook_answers(&self, sendings: usize) -> Value {
        let url = format!("{}/simulator/webhooks", self.ready.url);
        loop {
            let sent = self.control.get(&url).send().await.expect("an answer");
            let text = sent.text().await.expect("a body");
            let log: Value = serde_json::from_str(&text).expect("JSON");
            let answers = &log["deliveries"][0]["attempts"];
            if answers
                .as_array()
                .is_some_and(|answers| answers.len() >= sendings)
            {
                return answers.clone();
            }
            tokio::task::yield_now().await;
        }
    }

    /// Requests that arrived at an endpoint since the last [`Cloud::lift_faults`].
    async fn received(&self, endpoint: &str) -> u64 {
        let url = format!("{}/simulator/counters", self.ready.url);
        let sent = self.control.get(url).send().await.expect("an answer");
        let text = sent.text().await.expect("a body");
        let counters: Value = serde_json::from_str(&text).expect("JSON");
        let sites = counters.as_object().expect("counts by site").values();
        sites
            .filter_map(|site| site[endpoint]["received"].as_u64())
            .sum()
    }
}

fn statement(text: &str) -> Statement {
    Statement {
        text: text.to_owned(),
        catalogue: None,
        parameters: vec![Parameter::int("id", 0)],
        max_time_in_queue: Duration::from_secs(60),
    }
}

fn patience() -> Patience {
    Patience {
        just_posted: false,
        poll_first: Duration::from_millis(5),
        poll_most: Duration::from_millis(50),
        deadline: Duration::from_secs(60),
    }
}

/// Submits, waits and fetches; the number of rows, counted in the pages and equal to what was declared.
pub(crate) async fn extract(
    client: &Client,
    site: HaloGuid,
    text: &str,
) -> Result<u64, RemoteError> {
    let query = client.submit(site, &statement(text)).await?;
    fetch(client, site, query).await
}

async fn fetch(client: &Client, site: HaloGuid, query: RemoteQueryId) -> Result<u64, RemoteError> {
    let cancel = CancellationToken::new();
    let result = client.wait(site, query, &patience(), &cancel).await?;
    let mut pages = client.pages(site, query, &result, cancel);
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let page = page?;
        let declared = page.rows_declared;
        let array = page.into_rows()?;
        let found: Vec<Value> = serde_json::from_slice(array.as_ref()).expect("rows are JSON");
        let found = u64::try_from(found.len()).expect("few");
        assert_eq!(declared.unwrap_or(found), found);
        rows += found;
    }
    assert_eq!(rows, result.rows);
    Ok(rows)
}

/// A call of the API, by the name of the endpoint that it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Pair,
    Sites,
    Site,
    Async,
    Immediate,
    Status,
    StatusBatch,
    Stream,
    /// A page in its envelope, which is asked for where the API offers no stream.
    Page,
}

impl Call {
    const ALL: [Self; 9] = [
        Self::Pair,
        Self::Sites,
        Self::Site,
        Self::Async,
        Self::Immediate,
        Self::Status,
        Self::StatusBatch,
        Self::Stream,
        Self::Page,
    ];

    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Sites => "sites",
            Self::Site => "site",
            Self::Async => "async",
            Self::Immediate => "immediate",
            Self::Status => "status",
            Self::StatusBatch => "status_batch",
            Self::Stream => "stream",
            Self::Page => "page",
        }
    }

    /// Whether it must not happen twice.
    fn has_effect(self) -> bool {
        matches!(self, Self::Pair | Self::Async)
    }

    /// Whether the API must reach the practice for it, so that 503 and 504 speak of the site.
    fn reaches_site(self) -> bool {
        matches!(self, Self::Pair | Self::Async | Self::Immediate)
    }

    async fn make(self, cloud: &Cloud, query: RemoteQueryId) -> Result<(), RemoteError> {
        let client = cloud.client();
        let (site, pms_id, pms) = (cloud.guid(), cloud.pms_id(), PmsType::BestPractice);
        match self {
            Self::Pair => {
                let code = cloud.ready.sites[0].pairing_code.as_str().into();
                client.pair_site(&pms_id, pms, Some(&code)).await.map(drop)
            }
            Self::Sites => client.find_sites(&pms_id, pms).await.map(drop),
            Self::Site => client.site(site).await.map(drop),
            Self::Async => client.submit(site, &statement(PATIENTS)).await.map(drop),
            Self::Immediate => client
                .immediate(site, &statement("SELECT 1 AS one"))
                .await
                .map(drop),
            Self::Status => client.status(site, query).await.map(drop),
            Self::StatusBatch => client.statuses(site, &[query]).await.map(drop),
            Self::Stream | Self::Page => {
                let (patience, cancel) = (patience(), CancellationToken::new());
                let result = client.wait(site, query, &patience, &cancel).await?;
                client.page(site, query, result.pages[0]).await.map(drop)
            }
        }
    }
}

/// What a wire fault must come to: its class, and how many requests it takes.
pub(crate) fn expected(fault: &str, call: Call) -> (FailureClass, u64) {
    use FailureClass as Class;
    let unless_effect = if call.has_effect() { 1 } else { TRIES };
    let of_site = if call.reaches_site() {
        Class::Site
    } else {
        Class::Halo
    };
    match fault {
        "500" => (Class::Halo, unless_effect),
        // Pairing documents 502: the practice system failed, before any pairing.
        "502" if call == Call::Pair => (Class::Site, TRIES),
        "502" => (Class::Halo, unless_effect),
        // Documented as "before execution", so safe to repeat even for a submission.
        "503" if call.reaches_site() => (Class::Site, TRIES),
        "503" => (Class::Halo, TRIES),
        "504" => (of_site, unless_effect),
        "429 at once" => (Class::Limit, TRIES),
        "429 in an hour" | "403 in an hour" => (Class::Limit, 1),
        "401" => (Class::Auth, 1),
        "403" => (Class::Forbidden, 1),
        "lost" | "cut" => (Class::Network, unless_effect),
        other => unreachable!("{other}"),
    }
}

pub(crate) fn wire_faults() -> Vec<(&'static str, Value)> {
    let http = |status: u16| json!({"kind": "http", "status": status});
    let later = |status: u16, seconds: u64| json!({"kind": "http", "status": status, "retry_after": seconds});
    vec![
        ("500", http(500)),
        ("502", http(502)),
        ("503", http(503)),
        ("504", http(504)),
        ("429 at once", later(429, 0)),
        ("429 in an hour", later(429, 3600)),
        ("403 in an hour", later(403, 3600)),
        ("401", http(401)),
        ("403", http(403)),
        ("lost", json!({"kind": "lost"})),
        ("cut", json!({"kind": "cut", "bytes": 7})),
    ]
}

/// An API that has no `/stream`.
fn no_stream() -> Value {
    json!({"kind": "http", "status": 404, "endpoints": ["stream"]})
}

#[tokio::test]
async fn every_wire_fault_at_every_call_ends_in_its_class_after_its_number_of_requests() {
    let cloud = Cloud::start().await;
    let query = cloud
        .client()
        .submit(cloud.guid(), &statement(PATIENTS))
        .await
        .expect("accepted");
    assert!(
        fetch(&cloud.client(), cloud.guid(), query)
            .await
            .expect("rows")
            > 0
    );

    let mut wrong = Vec::new();
    let mut table = Table::new(
        "fault of the wire",
        &["call", "class", "requests", "lifted"],
    );
    for (name, fault) in wire_faults() {
        for call in Call::ALL {
            cloud.lift_faults().await;
            let mut rule = fault.clone();
            rule["endpoints"] = json!([call.endpoint()]);
            cloud.set_fault(&rule).await;
            if call == Call::Page {
                cloud.set_fault(&no_stream()).await;
            }

            let outcome = call
                .make(&cloud, query)
                .await
                .map_err(|error| error.class());
            let found = (outcome.err(), cloud.received(call.endpoint()).await);

            let (class, requests) = expected(name, call);
            if found != (Some(class), requests) {
                wrong.push(format!(
                    "{name} at {call:?}: {found:?}, not {class} after {requests}"
                ));
            }
            cloud.lift_faults().await;
            let lifted = call.make(&cloud, query).await;
            table.row(&[
                name,
                call.endpoint(),
                &found.0.map_or("-".to_owned(), |class| class.to_string()),
                &found.1.to_string(),
                if lifted.is_ok() { "answered" } else { "FAILS" },
            ]);
            if let Err(error) = lifted {
                wrong.push(format!(
                    "{name} at {call:?} is not over when it is lifted: {error}"
                ));
            }
        }
    }
    table.show();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_fault_of_a_query_ends_in_its_cause_and_is_over_when_it_is_lifted() {
    let cloud = Cloud::start().await;
    let outcome = |status: &str| json!({"kind": "outcome", "status": status});
    let faults = [
        (json!({"kind": "offline"}), Cause::SiteOffline),
        (
            json!({"kind": "offline", "accepted": true}),
            Cause::SiteOffline,
        ),
        (
            json!({"kind": "unreachable", "accepted": true}),
            Cause::SiteOffline,
        ),
        (json!({"kind": "dies_after_dispatch"}), Cause::SiteStuck),
        (json!({"kind": "stuck"}), Cause::SiteStuck),
        (json!({"kind": "unpaired"}), Cause::SiteRefused),
        (json!({"kind": "ip_refused"}), Cause::AddressRefused),
        (json!({"kind": "key_refused"}), Cause::KeyRefused),
        (json!({"kind": "login_failed"}), Cause::IntegrationDisabled),
        (json!({"kind": "quota", "calls": 0}), Cause::QuotaSpent),
        (
            outcome("initialisationFailedCacheError"),
            Cause::CacheFailed,
        ),
        (outcome("expiredInQueue"), Cause::ExpiredInQueue),
        (outcome("uploadFailed"), Cause::UploadFailed),
        (
            json!({"kind": "sql_error", "code": 1205, "message": "deadlock"}),
            Cause::SqlTransient,
        ),
        (
            json!({"kind": "sql_error", "code": 208, "message": "no table"}),
            Cause::SqlFailed,
        ),
        (json!({"kind": "gone"}), Cause::Gone),
    ];
    let mut wrong = Vec::new();
    for (fault, cause) in faults {
        cloud.lift_faults().await;
        cloud.set_fault(&fault).await;
        let outcome = extract(&cloud.client(), cloud.guid(), PATIENTS).await;
        let found = outcome.map_err(|error| error.cause());
        if found != Err(cause) {
            wrong.push(format!("{fault}: {found:?}, not {cause:?}"));
        }
        cloud.lift_faults().await;
        if let Err(error) = extract(&cloud.client(), cloud.guid(), PATIENTS).await {
            wrong.push(format!("{fault} is not over when it is lifted: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_fault_of_pairing_and_of_immediate_queries_ends_in_its_class_after_its_number_of_requests()
 {
    use FailureClass as Class;
    let cloud = Cloud::start().await;
    let query = cloud
        .client()
        .submit(cloud.guid(), &statement(PATIENTS))
        .await
        .expect("accepted");
    let pairing = |reason: &str| json!({"kind": "pairing", "reason": reason});
    let pairing_as = |status: u16| json!({"kind": "pairing", "reason": "wrong", "status": status});
    let legacy = json!({"kind": "failure_in_success"});
    let cases = [
        (Call::Pair, vec![pairing("wrong")], Class::Forbidden, 1),
        (Call::Pair, vec![pairing("expired")], Class::Forbidden, 1),
        (Call::Pair, vec![pairing("reused")], Class::Forbidden, 1),
        (
            Call::Pair,
            vec![pairing("regenerated")],
            Class::Forbidden,
            1,
        ),
        (Call::Pair, vec![pairing("unticked")], Class::Forbidden, 1),
        (Call::Pair, vec![pairing("unexpected")], Class::Site, TRIES),
        (Call::Pair, vec![pairing_as(403)], Class::Forbidden, 1),
        (Call::Pair, vec![pairing_as(404)], Class::Forbidden, 1),
        (Call::Pair, vec![pairing_as(502)], Class::Site, TRIES),
        (
            Call::Pair,
            vec![json!({"kind": "offline"})],
            Class::Site,
            TRIES,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "offline"})],
            Class::Site,
            TRIES,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "stuck_channel"})],
            Class::Site,
            TRIES,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "dies_after_dispatch"})],
            Class::Site,
            TRIES,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "timeout", "commits": true})],
            Class::Site,
            TRIES,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "timeout", "commits": false})],
            Class::Site,
            TRIES,
        ),
        // The statement ran: asking again would only run it again.
        (
            Call::Immediate,
            vec![json!({"kind": "too_large", "form": "status"})],
            Class::Limit,
            1,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "too_large", "form": "details"})],
            Class::Limit,
            1,
        ),
        (
            Call::Immediate,
            vec![json!({"kind": "login_failed"})],
            Class::Forbidden,
            1,
        ),
        (
            Call::Immediate,
            vec![legacy.clone(), json!({"kind": "login_failed"})],
            Class::Forbidden,
            1,
        ),
        (Call::Immediate, vec![sql_error(208)], Class::Sql, 1),
        (Call::Immediate, vec![sql_error(1205)], Class::Sql, TRIES),
        (Call::Immediate, vec![legacy, sql_error(208)], Class::Sql, 1),
    ];
    let mut wrong = Vec::new();
    let mut table = Table::new(
        "fault of pairing and immediate queries",
        &["call", "class", "requests", "lifted"],
    );
    for (call, faults, class, requests) in cases {
        cloud.lift_faults().await;
        for fault in &faults {
            cloud.set_fault(fault).await;
        }
        let outcome = call.make(&cloud, query).await;
        let found = outcome.map_err(|error| error.class()).err();
        let asked = cloud.received(call.endpoint()).await;
        cloud.lift_faults().await;
        let lifted = call.make(&cloud, query).await;

        let told: Vec<String> = faults.iter().map(Value::to_string).collect();
        let told = told.join(" ").replace(['"', '{', '}'], "");
        table.row(&[
            &told,
            call.endpoint(),
            &found.map_or("-".to_owned(), |class| class.to_string()),
            &asked.to_string(),
            if lifted.is_ok() { "answered" } else { "FAILS" },
        ]);
        if (found, asked, lifted.is_ok()) != (Some(class), requests, true) {
            wrong.push(format!("{told} at {call:?}: {found:?} after {asked}, not {class} after {requests}; {lifted:?}"));
        }
    }
    table.show();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sql_error(code: i64) -> Value {
    json!({"kind": "sql_error", "code": code, "message": "told by a test"})
}

#[tokio::test]
async fn what_the_api_may_do_differently_changes_no_row() {
    let cloud = Cloud::start().await;
    let all = extract(&cloud.client(), cloud.guid(), PATIENTS)
        .await
        .expect("rows");
    assert!(all > 10);
    let no_batch = json!({"kind": "http", "status": 404, "endpoints": ["status_batch"]});
    for liberty in [
        json!({"kind": "wire", "unknown_fields": true, "unknown_values": true}),
        json!({"kind": "wire", "omit_optional": true, "numbers_as_text": true}),
        json!({"kind": "wire", "fraction_digits": 7, "gzip": true}),
        json!({"kind": "wire", "stream": "envelope"}),
        json!({"kind": "wire", "stream": "text"}),
        json!({"kind": "late_pages", "time": "300ms", "reversed": true}),
        json!({"kind": "wide_row", "bytes": 100_000}),
        json!({"kind": "delay", "time": "20ms"}),
        no_stream(),
        no_batch,
    ] {
        cloud.lift_faults().await;
        cloud.set_fault(&liberty).await;
        let rows = extract(&cloud.client(), cloud.guid(), PATIENTS).await;
        assert_eq!(
            rows.map_err(|error| error.to_string()),
            Ok(all),
            "{liberty}"
        );
    }

    cloud.lift_faults().await;
    for empty in [
        json!({"kind": "wire"}),
        json!({"kind": "wire", "no_empty_page": true}),
    ] {
        cloud.set_fault(&empty).await;
        let none = format!("{PATIENTS} AND 1 = 0");
        let rows = extract(&cloud.client(), cloud.guid(), &none).await;
        assert_eq!(rows.map_err(|error| error.to_string()), Ok(0), "{empty}");
    }
}

#[tokio::test]
async fn a_practice_that_moved_is_found_again_and_another_practice_is_not_taken_for_it() {
    for (new_name, is_move) in [(None, true), (Some("Another Clinic"), false)] {
        let cloud = Cloud::start().await;
        let client = cloud.client();
        let (pms_id, guid) = (cloud.pms_id(), cloud.guid());
        let name = cloud.ready.sites[0].practice_name.clone();
        cloud
            .set_fault(&json!({"kind": "moved", "practice_name": new_name}))
            .await;

        let refused = client
            .submit(guid, &statement(PATIENTS))
            .await
            .expect_err("refused");
        assert_eq!(refused.cause(), Cause::SiteRefused);

        let found = client
            .find_sites(&pms_id, PmsType::BestPractice)
            .await
            .expect("found");
        let known = KnownSite {
            pms_id: &pms_id,
            guid,
            practice_name: Some(&name),
        };
        match reconsider(known, &found) {
            Identity::Moved(site) if is_move => {
                assert!(extract(&client, site.guid, PATIENTS).await.expect("rows") > 0);
            }
            Identity::Doubtful(site) if !is_move => assert_ne!(site.guid, guid),
            other => panic!("{new_name:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_row_value_in_a_database_message_is_in_no_error() {
    let cloud = Cloud::start().await;
    let message =
        "Conversion failed when converting the varchar value 'CANARY-SMITH' to data type int.";
    cloud
        .set_fault(&json!({"kind": "sql_error", "code": 245, "message": message}))
        .await;

    let submitted = extract(&cloud.client(), cloud.guid(), PATIENTS).await;
    let immediate = cloud
        .client()
        .immediate(cloud.guid(), &statement("SELECT 1 AS one"))
        .await;

    for error in [
        submitted.expect_err("failed"),
        immediate.expect_err("failed"),
    ] {
        assert_eq!(
            (error.sql_number(), error.mender()),
            (Some(245), Mender::QueryAuthor)
        );
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("Conversion failed") && !said.contains("CANARY"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn queries_at_one_site_are_watched_with_one_call_for_all() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let mut queries = Vec::new();
    cloud
        .set_fault(&json!({"kind": "late_pages", "time": "400ms"}))
        .await;
    for _ in 0..5 {
        queries.push(
            client
                .submit(cloud.guid(), &statement(PATIENTS))
                .await
                .expect("accepted"),
        );
    }

    let fetches = queries
        .iter()
        .map(|query| fetch(&client, cloud.guid(), *query));
    let rows = futures::future::join_all(fetches).await;

    assert!(
        rows.iter()
            .all(|rows| rows.as_ref().is_ok_and(|rows| *rows > 0)),
        "{rows:?}"
    );
    let (alone, together) = (
        cloud.received("status").await,
        cloud.received("status_batch").await,
    );
    assert!(
        together > 0 && alone <= together,
        "{alone} single looks, {together} shared ones"
    );
}

#[tokio::test]
async fn a_webhook_is_believed_once_and_only_when_well_signed_and_fresh_and_nothing_waits_for_it() {
    for (defect, answers, notices) in [
        (None, json!([204]), 1),
        (Some("duplicate"), json!([204, 204]), 1),
        (Some("bad_signature"), json!([401]), 0),
        (Some("stale"), json!([403]), 0),
        (Some("lost"), json!([]), 0),
        (Some("early"), json!([204]), 1),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, mut received) = tokio::sync::mpsc::channel(8);
        let verifier = webhook::Verifier::new(&"a shared secret".into());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(webhook::listen(
            listener,
            verifier,
            sender,
            stop.clone().cancelled_owned(),
        ));
        let cloud = Cloud::start_with(simulator::Webhooks {
            async_url: Some(format!("http://{address}/halo/{{siteId}}/{{queryId}}")),
            registered_url: None,
            secret: Some("a shared secret".to_owned()),
        })
        .await;
        if let Some(defect) = defect {
            cloud
                .set_fault(&json!({"kind": "webhook", "defect": defect}))
                .await;
        }

        let client = cloud.client();
        let query = client
            .submit(cloud.guid(), &statement(PATIENTS))
            .await
            .expect("accepted");
        assert!(
            fetch(&client, cloud.guid(), query).await.expect("rows") > 0,
            "{defect:?}"
        );

        let sendings = answers.as_array().expect("a list").len();
        assert_eq!(cloud.webhook_answers(sendings).await, answers, "{defect:?}");
        stop.cancel();
        serving.await.expect("no panic").expect("no error");
        let mut found = Vec::new();
        while let Some(notice) = received.recv().await {
            found.push((notice.site, notice.query, notice.is_async));
        }
        assert_eq!(
            found,
            vec![(cloud.guid(), query, true); notices],
            "{defect:?}"
        );
    }
}
