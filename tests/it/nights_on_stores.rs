//! A whole night on each kind of storage, by the program itself: run, verify, run again, forget; and a night whose
//! storage fails in the middle.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::cloud_servers::{self, AzureServer, S3Server, Wire};
use crate::fixture::{Fixture, many_rows};
use crate::google_stub::GoogleStub;
use crate::harness::{Finished, Home, Simulator};
use crate::resume::submissions;

const RUN: [&str; 5] = ["run", "--from", "2026-11-01", "--to", "2026-12-01"];

/// An installation whose objects go to a bucket.
struct Installation {
    simulator: Simulator,
    home: Home,
    storage: String,
    variables: Vec<(String, String)>,
    _fixture: Fixture,
}

impl Installation {
    fn new(storage: &str, variables: Vec<(String, String)>) -> Self {
        let fixture = Fixture::with_rows(&many_rows(500));
        let simulator = fixture.simulator(&[]);
        let home = fixture.home(&simulator);
        Self {
            simulator,
            home,
            storage: storage.to_owned(),
            variables,
            _fixture: fixture,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command.env("HALO_EXTRACT__STORAGE", &self.storage);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.command(arguments).output().expect("the program runs"))
    }

    fn listed(&self) -> Vec<Value> {
        let listed = self.run(&["output", "list", "--output", "json"]);
        listed.succeeded().json().as_array().expect("rows").clone()
    }

    /// Everything that a night and its aftermath do.
    fn whole_night(&self) {
        self.run(&RUN).succeeded();
        let [first] = self.listed().try_into().expect("one object");
        assert_eq!(first["rows"], 500);
        assert!(
            first["etag"].is_string(),
            "the store marks each write: {first}"
        );
        for depth in ["listing", "rows"] {
            self.run(&["output", "verify", "--depth", depth])
                .succeeded();
        }

        let mut again = RUN.to_vec();
        again.push("--again");
        self.run(&again).succeeded();
        let [second] = self.listed().try_into().expect("still one object");
        assert_eq!(first["path"], second["path"]);
        self.run(&["output", "verify"]).succeeded();

        self.run(&["site", "withdraw", "s40001", "--reason", "left"])
            .succeeded();
        self.run(&["output", "forget", "s40001", "--reason", "left", "--yes"])
            .succeeded();
        assert_eq!(self.listed(), [] as [Value; 0]);
        self.run(&["output", "verify"]).succeeded();
    }
}

/// The test's own servers go on while the program is waited for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// With the storage cut off the run says so and publishes nothing; mended, it goes on with the same remote query.
async fn survives_a_cut(installation: Installation, wire: &mut Wire) {
    let installation = blocking(move || {
        installation.run(&RUN).succeeded();
        installation
    })
    .await;
    let before = submissions(&installation.simulator);
    wire.cut().await;
    let installation = blocking(move || {
        let mut again = RUN.to_vec();
        again.push("--again");
        installation.run(&again).failed(69, &["cannot be reached"]);
        installation
    })
    .await;
    wire.mend().await;
    blocking(move || {
        installation.run(&["output", "verify"]).succeeded();
        let mut again = RUN.to_vec();
        again.push("--again");
        installation.run(&again).succeeded();
        installation.run(&["output", "verify"]).succeeded();
        assert_eq!(submissions(&installation.simulator), before + 1);
    })
    .await;
}

#[test]
fn a_whole_night_on_a_folder() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&RUN).succeeded();

    home.run(&["output", "verify"]).succeeded();
    let listed = home
        .run(&["output", "list", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        listed[0]["etag"],
        Value::Null,
        "a folder's marks do not last"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_night_on_s3_and_one_whose_storage_is_cut_off() {
    let Some(server) = S3Server::start().await else {
        return;
    };
    let mut wire = Wire::to(server.port()).await;
    let variables = server.variables(&wire.url(""));
    let night = Installation::new("s3://lake/nested", variables.clone());
    blocking(move || night.whole_night()).await;
    assert_eq!(server.open_uploads().await, 0);

    let other = Installation::new("s3://lake/other", variables);
    survives_a_cut(other, &mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_night_on_azure() {
    let Some(server) = AzureServer::start().await else {
        return;
    };
    let variables = server.variables(&server.url(""));
    let night = Installation::new("az://lake/nested", variables);
    blocking(move || night.whole_night()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_night_on_google_cloud_storage_with_answers_of_500_and_slow_ones() {
    let server = GoogleStub::start().await;
    let mut wire = Wire::to(server.port).await;
    let variables = GoogleStub::variables(wire.port());
    let night = Installation::new("gs://lake/nested", variables.clone());
    server.fail(3);
    server.slow_down(Duration::from_millis(20));
    blocking(move || night.whole_night()).await;
    assert_eq!(server.open_uploads(), 0);

    server.slow_down(Duration::ZERO);
    let other = Installation::new("gs://lake/other", variables);
    survives_a_cut(other, &mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_does_not_exist_is_said_before_anything_is_asked_of_a_practice() {
    let server = GoogleStub::start().await;
    let variables = GoogleStub::variables(server.port);
    let nowhere = Installation::new("gs://no-such-bucket", variables);
    blocking(move || {
        nowhere
            .run(&RUN)
            .failed(69, &["the bucket or container does not exist; create it"]);
        assert_eq!(submissions(&nowhere.simulator), 0);
    })
    .await;
    assert_eq!(cloud_servers::BUCKET, crate::google_stub::BUCKET);
}
