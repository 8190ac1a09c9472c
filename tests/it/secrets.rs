//! Keys, codes and row values stay where they belong: after every kind of failure, told at the finest log level, none
//! of them is in what the program printed or left behind.

use std::path::Path;
use std::sync::{Arc, Mutex};

use halo_extract::remote::webhook;
use halo_extract::simulator;
use tokio_util::sync::CancellationToken;

use crate::client::{Cloud, PATIENTS, extract};
use crate::fixture::{Fixture, HEADER, RUN, text};
use crate::harness::{Finished, Home, PSEUDONYM_KEY, Simulator};
use crate::resume::{submissions, until};

const KEY: &str = "canary-subscription-key-4711";
const WRONG_KEY: &str = "canary-wrong-key-0815";
const WRONG_CODE: &str = "CANARY9";
const NAME: &str = "Zebedee Canarywood";
const ROWS: &str = "id,seen,weight,note,updated
1,2026-11-01T09:30:00,71.50,Zebedee Canarywood,
2,2026-11-02T10:00:00,,Zebedee Canarywood,2026-11-03T08:00:00
";
const FROM: &str = "FROM visits v
WHERE COALESCE(v.updated, v.seen) >= @window_start AND COALESCE(v.updated, v.seen) < @window_end
ORDER BY v.id
";

/// A practice with one patient's name in it, and three queries: one that hides the name, one whose contract it
/// breaks, one that keeps it.
fn practice() -> Fixture {
    let fixture = Fixture::with_rows(ROWS);
    let note = "note    = { type = \"varchar(40)\", class = \"clinical\" }";
    let hidden = HEADER.replace(
        note,
        "note    = { type = \"varchar(40)\", class = \"identifier\", privacy = \"drop\" }\n\
         patient = { type = \"varchar(40)\", class = \"identifier\", privacy = \"pseudonym\", of = \"patient\" }",
    );
    fixture.query(
        "visits",
        &hidden,
        &format!("SELECT v.id AS id, v.seen AS seen, v.weight AS weight, v.note AS note, v.note AS patient\n{FROM}"),
    );
    fixture.query(
        "broken",
        HEADER,
        &format!("SELECT v.id AS id, v.seen AS seen, v.note AS weight, v.note AS note\n{FROM}"),
    );
    fixture.query(
        "kept",
        HEADER,
        &format!("SELECT v.id AS id, v.seen AS seen, v.weight AS weight, v.note AS note\n{FROM}"),
    );
    fixture
}

#[test]
fn no_secret_and_no_row_value_is_left_by_any_failure_at_the_finest_log_level() {
    let fixture = practice();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let data = fixture.data();
    let arguments = ["--data", text(&data), "--key", KEY, "--log", "trace"];
    let simulator = Simulator::start_logged(&arguments, log.reopen().expect("a file"));
    let home = fixture.home(&simulator);
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");
    let canaries = [
        KEY,
        WRONG_KEY,
        WRONG_CODE,
        code,
        NAME,
        "Canarywood",
        PSEUDONYM_KEY,
    ];

    let mut told = refusals(&home);
    told.push(run(&home, "broken", &[]));
    told.extend(faults(&simulator, &home));
    told.push(storage_refusal(&home));
    let failed = told.len();
    assert!(told.iter().all(|finished| finished.code != Some(0)));
    killed_while_pages_come(&simulator, &home);
    told.push(run(&home, "visits", &[]).succeeded());

    assert_eq!(told.len(), failed + 1);
    assert!(
        told.iter()
            .any(|finished| finished.stderr.contains("TRACE")),
        "the finest level is on"
    );
    for finished in &told {
        for text in [&finished.stdout, &finished.stderr] {
            assert_eq!(found_in(text.as_bytes(), &canaries), None, "{finished:#?}");
        }
    }
    let simulated = std::fs::read(log.path()).expect("a log");
    assert!(!simulated.is_empty());
    assert_eq!(found_in(&simulated, &canaries), None);
    assert_eq!(found_below(home.path(), &canaries), Vec::<String>::new());
    assert_eq!(
        files_below(&home.path().join("spool")),
        Vec::<std::path::PathBuf>::new()
    );

    // The search sees through compression: where a query keeps the name, it is found.
    run(&home, "kept", &[]).succeeded();
    assert_ne!(found_below(&home.lake(), &canaries), Vec::<String>::new());
}

/// Where the API can refuse us, with the command that gets there.
const CALLS: [(&str, &[&str]); 7] = [
    (
        "pair",
        &["site", "pair", "--pms-id", "40001", "--code", "CODE"],
    ),
    ("sites", &["doctor"]),
    ("site", &["doctor"]),
    ("immediate", &["doctor", "--probe"]),
    ("async", &RUN_VISITS),
    ("status", &RUN_VISITS),
    ("stream", &RUN_VISITS),
];

const RUN_VISITS: [&str; 7] = [
    "run",
    "--query",
    "visits",
    "--from",
    "2026-11-01",
    "--to",
    "2026-12-01",
];

/// Refusals that are not tried again, so that the test is short.
const REFUSALS: [u16; 5] = [400, 403, 404, 410, 413];

#[test]
fn no_secret_and_no_row_value_comes_back_out_of_a_refusal_in_any_shape_at_any_call() {
    let fixture = practice();
    let simulator = Simulator::start(&["--data", text(&fixture.data()), "--key", KEY]);
    let home = fixture.home(&simulator);
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");
    let canaries = [KEY, code, NAME, "Canarywood", PSEUDONYM_KEY];

    let mut refusals = REFUSALS.iter().cycle();
    for (endpoint, arguments) in CALLS {
        for form in ["nested", "flat", "gateway", "details", "html"] {
            let status = refusals.next().expect("it has no end");
            // A code is told to nobody but the pairing, so nothing else can tell it back.
            let told = if endpoint == "pair" { code } else { "-" };
            let message = format!("No access for '{NAME}' with {KEY} and {told}, value = {NAME}");
            // A page that has no stream is asked for in its envelope.
            let endpoints = match endpoint {
                "stream" => vec!["page", "stream"],
                other => vec![other],
            };
            let fault = serde_json::json!({
                "kind": "http", "status": status, "message": message, "envelope": form, "endpoints": endpoints,
            });
            simulator.post("faults", &fault.to_string());
            let words = arguments.iter().chain(&["--log", "trace"]);
            let words: Vec<&str> = words
                .map(|word| if *word == "CODE" { code } else { word })
                .collect();
            let finished = home.run(&words);
            simulator.delete("faults");
            assert_ne!(finished.code, Some(0), "{fault}: {finished:#?}");
            for said in [&finished.stdout, &finished.stderr] {
                assert_eq!(
                    found_in(said.as_bytes(), &canaries),
                    None,
                    "{fault}: {finished:#?}"
                );
            }
        }
    }

    assert_eq!(found_below(home.path(), &canaries), Vec::<String>::new());
}

#[test]
fn no_secret_is_in_what_the_service_says_of_notices() {
    const SECRET: &str = "canary-webhook-secret-1234";
    let fixture = practice();
    let simulator = Simulator::start(&["--data", text(&fixture.data()), "--key", KEY]);
    let home = fixture.home(&simulator);
    let log = tempfile::NamedTempFile::new().expect("a file");
    let mut service = home
        .command(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"])
        .env("HALO_WEBHOOK_SECRET", SECRET)
        .stdout(std::process::Stdio::null())
        .stderr(log.reopen().expect("a file"))
        .spawn()
        .expect("starts");
    let said = || std::fs::read_to_string(log.path()).expect("text");
    until("it serves", || said().contains("/readyz"));
    let said_first = said();
    let url = said_first
        .split_whitespace()
        .find_map(|word| word.strip_suffix("/readyz"))
        .expect("an address");
    let host = url.trim_start_matches("http://");

    let forged = "0".repeat(64);
    let now = chrono::Utc::now().to_rfc3339();
    let mut answers = Vec::new();
    for (timestamp, signature) in [(now.as_str(), forged.as_str()), ("", ""), ("never", SECRET)] {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(host).expect("connects");
        write!(
            stream,
            "POST /halo HTTP/1.0\r\nHost: x\r\nX-Halo-Timestamp: {timestamp}\r\nX-Halo-Signature-256: {signature}\r\n\
             Content-Length: 2\r\n\r\n{{}}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answers.push(answer.contains(" 401 "));
    }
    service.kill().expect("killed");
    service.wait().expect("gone");

    assert_eq!(answers, [true; 3]);
    let said = said();
    assert!(
        said.contains("wrong signature") && said.contains("INFO"),
        "{said}"
    );
    let canaries = [SECRET, "canary-webhook", KEY, PSEUDONYM_KEY];
    assert_eq!(found_in(said.as_bytes(), &canaries), None, "{said}");
    assert_eq!(found_below(home.path(), &canaries), Vec::<String>::new());
}

#[tokio::test]
async fn no_secret_is_in_what_receiver_client_and_simulator_say_of_webhooks() {
    const SECRET: &str = "canary-webhook-secret-1234";
    let said = Said::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer({
            let said = said.clone();
            move || said.clone()
        })
        .finish();
    // One thread runs receiver, client and simulator.
    let _telling = tracing::subscriber::set_default(subscriber);
    let mut answers = Vec::new();

    for (defect, secret) in [
        (None, SECRET),
        (Some("stale"), SECRET),
        (Some("bad_signature"), SECRET),
        // The two sides were given different secrets.
        (None, "canary-webhook-secret-other"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let verifier = webhook::Verifier::new(&SECRET.into());
        said.say(&format!("{verifier:?}"));
        let (sender, _notices) = tokio::sync::mpsc::channel(8);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(webhook::listen(
            listener,
            verifier,
            sender,
            stop.clone().cancelled_owned(),
        ));
        let cloud = Cloud::start_with(simulator::Webhooks {
            async_url: Some(format!("http://{address}/halo")),
            registered_url: None,
            secret: Some(secret.to_owned()),
        })
        .await;
        if let Some(defect) = defect {
            cloud
                .set_fault(&serde_json::json!({"kind": "webhook", "defect": defect}))
                .await;
        }
        let rows = extract(&cloud.client(), cloud.guid(), PATIENTS).await;
        assert!(rows.expect("rows") > 0);
        answers.push(cloud.webhook_answers(1).await[0].clone());
        for (name, value) in [("x-halo-id", "1"), ("x-halo-signature-256", "not hex")] {
            let asked = plain_client()
                .post(format!("http://{address}/"))
                .header(name, value)
                .body("{}")
                .send()
                .await
                .expect("an answer");
            said.say(&format!("{asked:?} {:?}", asked.headers()));
            said.say(&asked.text().await.expect("a body"));
        }
        stop.cancel();
        serving.await.expect("no panic").expect("no error");
        let key = cloud.ready.subscription_key.clone();
        let code = cloud.ready.sites[0].pairing_code.clone();
        let canaries = [SECRET, "canary-webhook", &key, &code];
        assert_eq!(found_in(&said.bytes(), &canaries), None);
    }

    assert_eq!(answers, [204, 403, 401, 401]);
    assert_ne!(found_in(&said.bytes(), &["wrong signature"]), None);
    assert_ne!(
        found_in(&said.bytes(), &["TRACE"]),
        None,
        "the finest level is on"
    );
}

/// What was said, by whomever.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn say(&self, text: &str) {
        self.0.lock().expect("no panic").extend(text.as_bytes());
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no panic").clone()
    }
}

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn plain_client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .build()
        .expect("a client")
}

/// `run` of one query, with more environment, telling everything.
fn run(home: &Home, query: &str, environment: &[(&str, &str)]) -> Finished {
    let mut command = home.command(&RUN);
    command.args(["--query", query, "--log", "trace"]);
    command.envs(environment.iter().copied());
    Finished::of(command.output().expect("runs"))
}

fn refusals(home: &Home) -> Vec<Finished> {
    let wrong_code = [
        "site", "pair", "--pms-id", "40001", "--log", "trace", "--code",
    ];
    vec![
        run(home, "visits", &[("HALO_SUBSCRIPTION_KEY", WRONG_KEY)]),
        home.run(&[&wrong_code[..], &[WRONG_CODE]].concat()),
    ]
}

/// The remote API failing in words that quote what they must not.
fn faults(simulator: &Simulator, home: &Home) -> Vec<Finished> {
    let sql =
        format!("Conversion failed when converting the varchar value '{NAME}' to data type int.");
    let http = format!("No access for '{NAME}' with {KEY}.");
    [
        serde_json::json!({"kind": "sql_error", "code": 245, "message": sql}),
        serde_json::json!({"kind": "http", "status": 400, "message": http, "endpoints": ["async"]}),
        serde_json::json!({"kind": "cut", "bytes": 60, "endpoints": ["page", "stream"]}),
    ]
    .iter()
    .map(|fault| {
        simulator.post("faults", &fault.to_string());
        let finished = run(home, "visits", &[]);
        simulator.delete("faults");
        finished
    })
    .collect()
}

fn storage_refusal(home: &Home) -> Finished {
    let file = home.path().join("no-folder");
    std::fs::write(&file, "a file where a folder should be").expect("written");
    let path = file.to_str().expect("UTF-8");
    run(home, "visits", &[("HALO_EXTRACT__STORAGE", path)])
}

fn killed_while_pages_come(simulator: &Simulator, home: &Home) {
    simulator.post(
        "faults",
        r#"{"kind": "delay", "time": "30s", "endpoints": ["page", "stream"]}"#,
    );
    let waits = || {
        crate::resume::received(simulator, "page") + crate::resume::received(simulator, "stream")
    };
    let (asked, fetched) = (submissions(simulator), waits());
    let mut command = home.command(&RUN);
    let mut process = command
        .args(["--query", "visits"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    until("a page is asked for", || waits() > fetched);
    process.kill().expect("killed");
    process.wait().expect("gone");
    simulator.delete("faults");
    assert!(submissions(simulator) <= asked + 1);
}

fn found_in<'a>(bytes: &[u8], canaries: &[&'a str]) -> Option<&'a str> {
    canaries
        .iter()
        .find(|canary| memchr::memmem::find(bytes, canary.as_bytes()).is_some())
        .copied()
}

/// Files below a folder that hold a canary, as bytes or in the rows of an object.
fn found_below(folder: &Path, canaries: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files_below(folder) {
        let mut bytes = std::fs::read(&path).expect("readable");
        if path.extension().is_some_and(|ending| ending == "parquet") {
            bytes.extend(rows_as_text(&path).into_bytes());
        }
        if let Some(canary) = found_in(&bytes, canaries) {
            found.push(format!("{canary} in {}", path.display()));
        }
    }
    found
}

fn rows_as_text(path: &Path) -> String {
    let file = std::fs::File::open(path).expect("opens");
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("Parquet")
        .build()
        .expect("readable")
        .map(|batch| format!("{:?}", batch.expect("whole")))
        .collect()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
