//! Servers that stand in for the clouds, and a wire to them that can be cut.
//!
//! Each is a program of its own, found by `PATH` or the variable named in the message that says a test was
//! skipped: `moto_server` (PyPI `moto[server]`) plays S3, `azurite-blob` (npm `azurite`) plays Azure.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use hmac::{KeyInit, Mac};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};

use crate::harness::{present, program};

/// The bucket or container that each of them has.
pub(crate) const BUCKET: &str = "lake";

/// A server that this test started; ended with it.
struct Server {
    process: Child,
    port: u16,
    program: PathBuf,
    arguments: Vec<String>,
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
            program,
            arguments,
        })
    }

    /// Ends it as `kill -9` does, at once and whatever it is doing.
    fn kill(&mut self) {
        self.process.kill().expect("it was alive");
        self.process.wait().expect("it ends");
    }

    /// Starts it anew where it was, over what it left on disk.
    fn start_again(&mut self) {
        self.process = run(&self.program, &self.arguments, self.port);
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
pub(crate) struct Wire {
    port: u16,
    to: u16,
    carrying: JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        Self {
            port: listener.local_addr().expect("an address").port(),
            to: port,
            carrying: tokio::spawn(carry(listener, port)),
        }
    }

    pub(crate) async fn cut(&mut self) {
        self.carrying.abort();
        let _ = (&mut self.carrying).await;
    }

    pub(crate) async fn mend(&mut self) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await;
        self.carrying = tokio::spawn(carry(listener.expect("the same port"), self.to));
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
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

/// A server in front of another that fails on demand: it answers 500, slowly, or with a refusal of its own.
pub(crate) struct Gateway {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Mood {
    /// How many of the next requests that write are answered by 500.
    failing: u32,
    slow: Duration,
    refusal: Option<(StatusCode, String)>,
}

impl Gateway {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let mood = Arc::new(Mutex::new(Mood::default()));
        let of_requests = Arc::clone(&mood);
        let client = reqwest::Client::new();
        let answer = move |request: Request| {
            pass_on(request, Arc::clone(&of_requests), client.clone(), port)
        };
        let router = axum::Router::new().fallback(answer);
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        Self {
            port: own,
            mood,
            serving,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers the next `requests` that write with 500.
    pub(crate) fn fail(&self, requests: u32) {
        self.mood.lock().expect("no handler panics").failing = requests;
    }

    /// Lets every answer take so long.
    pub(crate) fn slow_down(&self, by: Duration) {
        self.mood.lock().expect("no handler panics").slow = by;
    }

    /// Answers everything with this from now on.
    pub(crate) fn refuse(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.mood.lock().expect("no handler panics").refusal = Some((status, body.to_owned()));
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass_on(
    request: Request,
    mood: Arc<Mutex<Mood>>,
    client: reqwest::Client,
    port: u16,
) -> Response {
    let slow = mood.lock().expect("no handler panics").slow;
    // What is played here is a slow server.
    tokio::time::sleep(slow).await;
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    {
        let mut mood = mood.lock().expect("no handler panics");
        if let Some((status, body)) = &mood.refusal {
            return (*status, body.clone()).into_response();
        }
        if mood.failing > 0 && matches!(head.method, Method::PUT | Method::POST) {
            mood.failing -= 1;
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let url = format!("http://127.0.0.1:{port}{}", head.uri);
    let passed = client
        .request(head.method, url)
        .headers(head.headers)
        .body(body);
    let answer = passed.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut told = Response::new(answer.bytes().await.expect("a body").into());
    *told.status_mut() = status;
    *told.headers_mut() = headers;
    told
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

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
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

/// The variables that lead a client of S3 to `endpoint`.
pub(crate) fn s3_variables(endpoint: &str) -> Vec<(String, String)> {
    owned(&[
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
    ])
}

/// The variables that lead a client of Azure to `endpoint`.
pub(crate) fn azure_variables(endpoint: &str) -> Vec<(String, String)> {
    owned(&[
        ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY),
        ("AZURE_STORAGE_ENDPOINT", &format!("{endpoint}/{ACCOUNT}")),
        ("AZURE_ALLOW_HTTP", "true"),
    ])
}

/// S3, played by moto, with its bucket.
pub(crate) struct S3Server(Server);

impl S3Server {
    /// `None`, loudly, if moto is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let arguments = ["-H", "127.0.0.1", "-p", "{port}"];
        let server = Server::start("moto_server", "HALO_EXTRACT_TEST_MOTO", &arguments)?;
        let created = reqwest::Client::new()
            .put(server.url(&format!("/{BUCKET}")))
            .send()
            .await
            .expect("an answer");
        assert!(created.status().is_success(), "{}", created.status());
        Some(Self(server))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.0.url(path)
    }

    /// The variables that lead a client to `endpoint`.
    pub(crate) fn variables(&self, endpoint: &str) -> Vec<(String, String)> {
        s3_variables(endpoint)
    }

    /// The headers of the object at `path`. The stand-in wants a signature and does not check it.
    pub(crate) async fn head(&self, path: &str) -> HeaderMap {
        let signature = "AWS4-HMAC-SHA256 Credential=test/20261128/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let url = self.0.url(&format!("/{BUCKET}/{path}"));
        let asked = reqwest::Client::new()
            .head(url)
            .header("authorization", signature);
        let answer = asked.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.headers().clone()
    }

    pub(crate) async fn open_uploads(&self) -> usize {
        let answer = reqwest::get(self.0.url(&format!("/{BUCKET}?uploads")))
            .await
            .expect("an answer");
        let text = answer.text().await.expect("a body");
        assert!(text.contains("ListMultipartUploadsResult"), "{text}");
        text.matches("<Upload>").count()
    }

    /// The open uploads that the program has noted.
    pub(crate) async fn noted_uploads(&self) -> usize {
        let answer = reqwest::get(self.0.url(&format!("/{BUCKET}?list-type=2")))
            .await
            .expect("an answer");
        let text = answer.text().await.expect("a body");
        assert!(text.contains("ListBucketResult"), "{text}");
        text.matches("/_meta/uploads/").count()
    }
}

/// Azure, played by Azurite, with its container.
pub(crate) struct AzureServer {
    server: Server,
    folder: TempDir,
}

impl AzureServer {
    /// `None`, loudly, if Azurite is not installed.
    pub(crate) async fn start() -> Option<Self> {
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
        let server = Server::start("azurite-blob", "HALO_EXTRACT_TEST_AZURITE", &arguments)?;
        create_container(&server, BUCKET).await;
        Some(Self { server, folder })
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it anew over what it had saved when it was killed.
    pub(crate) fn start_again(&mut self) {
        self.server.start_again();
    }

    /// Whether it has saved that there is a blob whose name ends so; it saves every few seconds.
    pub(crate) fn has_saved(&self, name: &str) -> bool {
        let saved = std::fs::read_to_string(self.folder.path().join("__azurite_db_blob__.json"));
        saved.is_ok_and(|text| text.contains(name))
    }

    /// Bytes of blobs and parts of blobs that it has on disk.
    pub(crate) fn size_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join("__blobstorage__"));
        let sizes = files.into_iter().flatten().map(|file| {
            let file = file.expect("an entry").metadata();
            file.map_or(0, |file| file.len())
        });
        sizes.sum()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The variables that lead a client to `endpoint`.
    pub(crate) fn variables(&self, endpoint: &str) -> Vec<(String, String)> {
        azure_variables(endpoint)
    }
}
