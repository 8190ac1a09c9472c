//! The real binary against the real simulator, each in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_halo-extract");

/// A secret long enough for pseudonyms; synthetic.
pub(crate) const PSEUDONYM_KEY: &str = "a synthetic secret of tests, long enough to be one";

/// A simulator process; ended when dropped.
pub(crate) struct Simulator {
    process: Child,
    /// Its ready line.
    pub(crate) ready: serde_json::Value,
}

impl Simulator {
    /// Starts `simulate` on a free port with more arguments, and waits for its ready line.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_telling(arguments, Stdio::inherit())
    }

    /// As `start`, with its log in a file.
    pub(crate) fn start_logged(arguments: &[&str], log: std::fs::File) -> Self {
        Self::start_telling(arguments, log.into())
    }

    fn start_telling(arguments: &[&str], log: Stdio) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["simulate", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the simulator starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("stdout"))
            .read_line(&mut line)
            .expect("a ready line");
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("ready line {line:?}: {error}"));
        Self { process, ready }
    }

    pub(crate) fn url(&self) -> &str {
        self.ready["url"].as_str().expect("url")
    }

    pub(crate) fn key(&self) -> &str {
        self.ready["subscription_key"].as_str().expect("key")
    }

    pub(crate) fn sites(&self) -> &[serde_json::Value] {
        self.ready["sites"].as_array().expect("sites")
    }

    /// A document of the control endpoint.
    pub(crate) fn control(&self, path: &str) -> serde_json::Value {
        let response = http("GET", &format!("{}/simulator/{path}", self.url()), "");
        serde_json::from_str(&response)
            .unwrap_or_else(|error| panic!("{path}: {error}: {response}"))
    }
}

impl Simulator {
    /// Adds something at the control endpoint, for example a fault.
    pub(crate) fn post(&self, path: &str, body: &str) {
        http("POST", &format!("{}/simulator/{path}", self.url()), body);
    }

    /// What the control endpoint answers to a change.
    pub(crate) fn posted(&self, path: &str, body: &str) -> serde_json::Value {
        let response = http("POST", &format!("{}/simulator/{path}", self.url()), body);
        serde_json::from_str(&response)
            .unwrap_or_else(|error| panic!("{path}: {error}: {response}"))
    }

    /// Changes something at the control endpoint.
    pub(crate) fn put(&self, path: &str, body: &str) {
        http("PUT", &format!("{}/simulator/{path}", self.url()), body);
    }

    /// Removes something at the control endpoint.
    pub(crate) fn delete(&self, path: &str) {
        http("DELETE", &format!("{}/simulator/{path}", self.url()), "");
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself; both are fine at the end of a test.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// One HTTP request without any client library: what the simulator says must not pass through the client
/// under test.
fn http(method: &str, url: &str, body: &str) -> String {
    use std::io::{Read, Write};
    let rest = url.strip_prefix("http://").expect("plain http");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("connects");
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(head.contains(" 20"), "{method} {url}: {answer}");
    body.to_owned()
}

/// One installation: a home with ledger and lake, pointed at a simulator.
pub(crate) struct Home {
    folder: TempDir,
    url: String,
    key: String,
    queries: PathBuf,
    settings: Vec<(&'static str, &'static str)>,
}

impl Home {
    pub(crate) fn new(simulator: &Simulator, queries: &Path) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            url: simulator.url().to_owned(),
            key: simulator.key().to_owned(),
            queries: queries.to_owned(),
            settings: Vec::new(),
        }
    }

    /// The same installation, with a setting as the environment gives it.
    pub(crate) fn with(mut self, variable: &'static str, value: &'static str) -> Self {
        self.settings.push((variable, value));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn lake(&self) -> PathBuf {
        self.path().join("lake")
    }

    /// A command with the environment of this installation and nothing else of ours.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HALO_EXTRACT__HOME", self.path())
            .env("HALO_EXTRACT__ENVIRONMENT", "simulator")
            .env("HALO_EXTRACT__HALO__URL", &self.url)
            .env("HALO_EXTRACT__HALO__POLL_FIRST", "20ms")
            .env("HALO_EXTRACT__QUERIES", &self.queries)
            .env("HALO_SUBSCRIPTION_KEY", &self.key)
            .env("HALO_EXTRACT_PSEUDONYM_KEY", PSEUDONYM_KEY)
            .env("HALO_EXTRACT_ACTOR", "tester")
            .envs(self.settings.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.command(arguments).output().expect("the program runs"))
    }

    /// Pairs and activates every site of the simulator.
    pub(crate) fn pair_all(&self, simulator: &Simulator) {
        for site in simulator.sites() {
            let (id, code) = (
                site["pms_id"].as_str().expect("id"),
                site["pairing_code"].as_str().expect("code"),
            );
            let zone = site["time_zone"].as_str().expect("zone");
            self.run(&[
                "site",
                "pair",
                "--pms-id",
                id,
                "--code",
                code,
                "--time-zone",
                zone,
            ])
            .succeeded();
            self.run(&["site", "activate", &format!("s{id}"), "--reason", "test"])
                .succeeded();
        }
    }

    /// Published objects, as paths below the lake.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.lake(), &mut found);
        found.retain(|path| {
            let below = path.strip_prefix(self.lake()).expect("found in it");
            below
                .components()
                .nth(1)
                .is_some_and(|part| part.as_os_str() == "data")
        });
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Asserts the exit code and that stderr holds each text.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in says {
            assert!(
                self.stderr.contains(text),
                "stderr lacks {text:?}: {self:#?}"
            );
        }
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The folder of this project.
/// A command that stopped at a place inside it; goes on when it is told to.
pub(crate) struct Stopped {
    process: Child,
    go_on: PathBuf,
}

impl Stopped {
    /// Starts a command that will stop at `place`, see `src/fail_point.rs`.
    pub(crate) fn start(home: &Home, arguments: &[&str], place: &str) -> Self {
        let go_on = home.path().join(format!("{place}.go"));
        let mut command = home.command(arguments);
        command.env(
            "HALO_EXTRACT_FAIL_POINT",
            format!("{place}, waiting for {}", go_on.display()),
        );
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self {
            process: command.spawn().expect("starts"),
            go_on,
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.go_on.with_extension("here").exists()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("a process").is_some()
    }

    /// Lets it go on; it may stop at no other place.
    pub(crate) fn go_on(&self) {
        std::fs::write(&self.go_on, "").expect("written");
    }

    pub(crate) fn ended(self) -> Finished {
        Finished::of(self.process.wait_with_output().expect("ends"))
    }
}

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of shared real data; says loudly when it is not there. In CI that is a failure.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let folder = project().join("../shared/data").join(name);
    present(folder.is_dir(), &format!("{} is absent", folder.display())).then_some(folder)
}

/// The Python with the readers of `tests/requirements.txt`, set by `tests/run`.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("HALO_EXTRACT_TEST_PYTHON")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    present(
        python.is_some(),
        "HALO_EXTRACT_TEST_PYTHON is not set: run tests/run",
    )
    .then(|| python.expect("present"))
}

/// A program that `variable` names, or that is in the path.
pub(crate) fn program(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    if let Some(named) = named {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Whether what a test needs is there; says loudly when not. In CI that is a failure.
pub(crate) fn present(is: bool, otherwise: &str) -> bool {
    if !is {
        assert!(
            std::env::var_os("CI").is_none(),
            "in CI a skip is a failure: {otherwise}"
        );
        skipped(otherwise);
    }
    is
}

#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Runs a Python script of `tests/it` and returns what it printed.
#[track_caller]
pub(crate) fn run_python(python: &Path, script: &str, arguments: &[&Path]) -> String {
    let output = Command::new(python)
        .arg(project().join("tests/it").join(script))
        .args(arguments)
        .output()
        .expect("python runs");
    let finished = Finished::of(output);
    assert_eq!(
        finished.code,
        Some(0),
        "{script}: {}\n{}",
        finished.stdout,
        finished.stderr
    );
    finished.stdout
}
