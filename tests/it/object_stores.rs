//! Staging, publishing, replacing and aborting on the servers that stand in for the clouds.
//!
//! See `cloud_servers.rs` and `google_stub.rs` for the servers.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use halo_extract::domain::{AttemptNumber, Environment, ObjectRecord, PmsType, Sha256};
use halo_extract::objects::{
    Depth, Expected, Provenance, Staged, StorageError, StorageErrorKind, Store, object_path,
};
use tokio::sync::mpsc;

use crate::cloud_servers::{AzureServer, S3Server, Wire};
use crate::google_stub::GoogleStub;

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

#[tokio::test]
async fn s3_publishes_in_one_step_and_survives_a_cut_wire() {
    let Some(server) = S3Server::start().await else {
        return;
    };
    let mut wire = Wire::to(server.port()).await;
    let variables = server.variables(&wire.url(""));
    let store = Store::open_with("s3://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;

    assert_eq!(server.open_uploads().await, 0);

    refuses_a_bucket_that_does_not_exist("s3://no-such-bucket/lake", &variables).await;

    survives_a_cut_wire(&store, &mut wire).await;

    // Cut off, nothing could be aborted; a sweep ends what is left.
    assert!(server.open_uploads().await > 0);
    sweep(&store).await;
    assert_eq!(server.open_uploads().await, 0);
}

#[tokio::test]
async fn azure_publishes_in_one_step_and_survives_a_cut_wire() {
    let Some(server) = AzureServer::start().await else {
        return;
    };
    let mut wire = Wire::to(server.port()).await;
    let variables = server.variables(&wire.url(""));
    let store = Store::open_with("az://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;

    refuses_a_bucket_that_does_not_exist("az://no-such-container", &variables).await;

    survives_a_cut_wire(&store, &mut wire).await;
}

#[tokio::test]
async fn google_publishes_in_one_step_and_survives_a_cut_wire() {
    let server = GoogleStub::start().await;
    let mut wire = Wire::to(server.port).await;
    let variables = GoogleStub::variables(wire.port());
    let store = Store::open_with("gs://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;

    assert_eq!(server.open_uploads(), 0);

    refuses_a_bucket_that_does_not_exist("gs://no-such-bucket", &variables).await;

    survives_a_cut_wire(&store, &mut wire).await;

    assert!(server.open_uploads() > 0);
    sweep(&store).await;
    assert_eq!(server.open_uploads(), 0);
}

async fn refuses_a_bucket_that_does_not_exist(address: &str, variables: &[(String, String)]) {
    let nowhere = Store::open_with(address, variables).expect("a store");
    let staged = stage(&nowhere, 10).await.expect("staged in memory");
    let error = staged.publish().await.expect_err("no bucket");
    assert_eq!(error.kind, StorageErrorKind::NoBucket, "{error}");
}

async fn sweep(store: &Store) {
    let later = Utc::now() + TimeDelta::hours(1);
    store
        .sweep(Environment::Simulator, later)
        .await
        .expect("swept");
}
