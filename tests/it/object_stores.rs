//! Staging, publishing, replacing and aborting on the servers that stand in for the clouds.
//!
//! Each is a program of its own, found by `PATH` or the variable named in the message that says a test was
//! skipped: `moto_server` (PyPI `moto[server]`) plays S3, `azurite-blob` (npm `azurite`) plays Azure.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use halo_extract::domain::{AttemptNumber, Environment, ObjectRecord, PmsType, Sha256};
use halo_extract::objects::{
    Depth, Expected, Provenance, Staged, StorageError, StorageErrorKind, Store, object_path,
};
use hmac::{KeyInit, Mac};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::harness::{present, program};

/// A server that this test started; ended with it.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts `name`; `{port}` in the arguments becomes a free port. `None`, loudly, if it is not installed.
    fn start(name: &str, variable: &str, arguments: &[&str]) -> Option<Self> {
        let program = program(name, variable);
        let missing = format!("`{name}` is not installed; install it or name it in {variable}");
        if !present(program.is_some(), &missing) {
            return None;
        }
        let program = program.expect("present");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let filled = |argument: &&str| argument.replace("{port}", &port.to_string());
        let arguments: Vec<String> = arguments.iter().map(filled).collect();
        Some(Self {
            process: run(&program, &arguments, port),
            port,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A wire to a server that can be cut: what the client sees when the server or the network dies.
struct Wire {
    port: u16,
    to: u16,
    carrying: JoinHandle<()>,
}

impl Wire {
    async fn to(server: &Server) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        Self {
            port: listener.local_addr().expect("an address").port(),
            to: server.port,
            carrying: tokio::spawn(carry(listener, server.port)),
        }
    }

    async fn cut(&mut self) {
        self.carrying.abort();
        let _ = (&mut self.carrying).await;
    }

    async fn mend(&mut self) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await;
        self.carrying = tokio::spawn(carry(listener.expect("the same port"), self.to));
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

async fn carry(listener: tokio::net::TcpListener, to: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", to)).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
    }
}

fn run(program: &Path, arguments: &[String], port: u16) -> Child {
    let process = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let deadline = Instant::now() + Duration::from_secs(60);
    // Somebody else's program tells no other way that it is ready.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            Instant::now() < deadline,
            "{} does not answer",
            program.display()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    process
}

fn provenance() -> Provenance {
    Provenance {
        environment: Environment::Simulator,
        extraction: "s007/observation@v1/2026-11-18..2026-11-19"
            .parse()
            .expect("an extraction"),
        fingerprint: "0f".repeat(32).parse().expect("a fingerprint"),
        variant: None,
        contract_hash: Sha256([1; 32]),
        privacy_hash: Sha256([2; 32]),
        pseudonym_key_id: None,
        pms_type: PmsType::BestPractice,
        link_version: None,
        remote_query_id: "7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0c"
            .parse()
            .expect("an id"),
        attempt: AttemptNumber(1),
        rows_declared: 0,
        rows_withheld: None,
    }
}

fn path() -> String {
    let provenance = provenance();
    object_path(provenance.environment, &provenance.extraction)
}

/// Stages rows of 1 KiB that do not compress: 8,192 of them make a part of a multipart upload.
async fn stage(store: &Store, rows: usize) -> Result<Staged, StorageError> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new(
        "noise",
        DataType::Utf8,
        false,
    )]));
    let (to_stage, batches) = mpsc::channel(1);
    let sending = async {
        let mut random = fastrand::Rng::with_seed(5);
        let mut left = rows;
        while left > 0 {
            let some = left.min(1024);
            let values = (0..some).map(|_| {
                let text = (0..1024).map(|_| random.char(' '..='~'));
                text.collect::<String>()
            });
            let column = Arc::new(StringArray::from_iter_values(values));
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]);
            if to_stage.send(batch.expect("one column")).await.is_err() {
                break;
            }
            left -= some;
        }
        drop(to_stage);
    };
    let (path, provenance) = (path(), provenance());
    let staging = store.stage(&path, &schema, &provenance, Utc::now(), batches);
    tokio::join!(staging, sending).0
}

async fn publish(store: &Store, rows: usize) -> ObjectRecord {
    let staged = stage(store, rows).await.expect("staged");
    staged.publish().await.expect("published")
}

async fn rows_visible(store: &Store) -> Option<u64> {
    match store.read_footer(&path()).await {
        Ok(footer) => Some(footer.rows),
        Err(error) => {
            assert_eq!(error.kind, StorageErrorKind::Missing, "{error:?}");
            None
        }
    }
}

async fn listed(store: &Store) -> Vec<String> {
    let all = store
        .list(Environment::Simulator)
        .map_ok(|listed| listed.path);
    all.try_collect().await.expect("listed")
}

/// What every store must do, small and large.
async fn publishes_in_one_step(store: &Store) {
    for rows in [10, 20_000] {
        stage(store, rows).await.expect("staged").abort().await;
        assert_eq!(listed(store).await, [""; 0], "aborted, nothing is there");

        let old = publish(store, rows).await;
        let staged = stage(store, rows + 1).await.expect("staged");
        assert_eq!(
            rows_visible(store).await,
            Some(old.rows),
            "staged, the old one stands"
        );
        let new = staged.publish().await.expect("published");
        assert_eq!(rows_visible(store).await, Some(new.rows), "published");

        assert!(new.etag.is_some(), "the store marks each write");
        let expected = Expected {
            object: new,
            attempt: AttemptNumber(1),
        };
        let listed = store.listed_at(&path()).await.expect("asked");
        let listed = listed.expect("published");
        for depth in [Depth::Listing, Depth::Footer, Depth::Rows] {
            let wrong = store.judge(&listed, Some(&expected), depth).await;
            assert_eq!(wrong.expect("judged"), None, "{depth:?}");
        }

        store.remove(&path()).await.expect("removed");
        store.remove(&path()).await.expect("removed again");
        assert_eq!(rows_visible(store).await, None);
    }
}

/// Cut off at the worst moments, the store has the old object or the new one, and nothing else.
async fn survives_a_cut_wire(store: &Store, wire: &mut Wire) {
    for rows in [10, 20_000] {
        let old = publish(store, 5).await;
        let staged = stage(store, rows).await.expect("staged");
        wire.cut().await;

        let error = staged.publish().await.expect_err("cut off");

        wire.mend().await;
        assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
        assert_eq!(rows_visible(store).await, Some(old.rows));
        assert_eq!(listed(store).await, [path()]);
    }
    wire.cut().await;
    let error = stage(store, 20_000).await.expect_err("cut off");
    wire.mend().await;
    assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
    assert_eq!(rows_visible(store).await, Some(5));
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

#[tokio::test]
async fn s3_publishes_in_one_step_and_survives_a_cut_wire() {
    let arguments = ["-H", "127.0.0.1", "-p", "{port}"];
    let Some(server) = Server::start("moto_server", "HALO_EXTRACT_TEST_MOTO", &arguments) else {
        return;
    };
    let http = reqwest::Client::new();
    let created = http
        .put(server.url("/lake"))
        .send()
        .await
        .expect("an answer");
    assert!(created.status().is_success(), "{}", created.status());
    let mut wire = Wire::to(&server).await;
    let variables = owned(&[
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT", &wire.url("")),
        ("AWS_ALLOW_HTTP", "true"),
    ]);
    let store = Store::open_with("s3://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;

    assert_eq!(open_uploads(&http, &server).await, 0);

    let nowhere = Store::open_with("s3://no-such-bucket/lake", &variables).expect("a store");
    let staged = stage(&nowhere, 10).await.expect("staged in memory");
    let error = staged.publish().await.expect_err("no bucket");
    assert_eq!(error.kind, StorageErrorKind::NoBucket, "{error}");

    survives_a_cut_wire(&store, &mut wire).await;

    // Cut off, nothing could be aborted; a sweep ends what is left.
    assert!(open_uploads(&http, &server).await > 0);
    let later = Utc::now() + TimeDelta::hours(1);
    store
        .sweep(Environment::Simulator, later)
        .await
        .expect("swept");
    assert_eq!(open_uploads(&http, &server).await, 0);
}

async fn open_uploads(http: &reqwest::Client, server: &Server) -> usize {
    let answer = http
        .get(server.url("/lake?uploads"))
        .send()
        .await
        .expect("an answer");
    let text = answer.text().await.expect("a body");
    assert!(text.contains("ListMultipartUploadsResult"), "{text}");
    text.matches("<Upload>").count()
}

/// The account that every Azurite has; its key is public.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Makes a container, signed as Azure wants it ("Authorize with Shared Key").
async fn create_container(server: &Server, container: &str) {
    let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let version = "2021-08-06";
    let to_sign = format!(
        "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{container}\nrestype:container"
    );
    let key = base64_simd::STANDARD
        .decode_to_vec(ACCOUNT_KEY)
        .expect("base64");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).expect("any length");
    mac.update(to_sign.as_bytes());
    let signature = base64_simd::STANDARD.encode_to_string(mac.finalize().into_bytes());
    let created = reqwest::Client::new()
        .put(server.url(&format!("/{ACCOUNT}/{container}?restype=container")))
        .header("x-ms-date", date)
        .header("x-ms-version", version)
        .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
        .header("content-length", "0")
        .send()
        .await
        .expect("an answer");
    assert!(created.status().is_success(), "{}", created.status());
}

#[tokio::test]
async fn azure_publishes_in_one_step_and_survives_a_cut_wire() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let location = folder.path().display().to_string();
    let arguments = [
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        "{port}",
        "--location",
        &location,
    ];
    let Some(server) = Server::start("azurite-blob", "HALO_EXTRACT_TEST_AZURITE", &arguments)
    else {
        return;
    };
    create_container(&server, "lake").await;
    let mut wire = Wire::to(&server).await;
    let variables = owned(&[
        ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY),
        ("AZURE_STORAGE_ENDPOINT", &wire.url(&format!("/{ACCOUNT}"))),
        ("AZURE_ALLOW_HTTP", "true"),
    ]);
    let store = Store::open_with("az://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;

    let nowhere = Store::open_with("az://no-such-container", &variables).expect("a store");
    let staged = stage(&nowhere, 10).await.expect("staged in memory");
    let error = staged.publish().await.expect_err("no container");
    assert_eq!(error.kind, StorageErrorKind::NoBucket, "{error}");

    survives_a_cut_wire(&store, &mut wire).await;
}
