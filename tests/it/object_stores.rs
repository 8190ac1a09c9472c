//! Staging, publishing, replacing and aborting on the servers that stand in for the clouds.
//!
//! See `cloud_servers.rs` and `google_stub.rs` for the servers.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use halo_extract::domain::{AttemptNumber, Environment, ObjectRecord, PmsType, Sha256};
use halo_extract::objects::{
    Depth, Expected, Provenance, Staged, StorageError, StorageErrorKind, Store, object_path,
};
use tokio::sync::mpsc;

use crate::cloud_servers::{self, AzureServer, Gateway, S3Server, Wire};
use crate::google_stub::GoogleStub;
use crate::resume::until;

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
        merged: Vec::new(),
    }
}

fn path() -> String {
    let provenance = provenance();
    object_path(provenance.environment, &provenance.extraction)
}

/// Stages rows of 1 KiB that do not compress: 8,192 of them make a part of a multipart upload.
async fn stage(store: &Store, rows: usize) -> Result<Staged, StorageError> {
    stage_with(store, rows, async || {}).await
}

/// The same; `half_way` happens when half of the rows have been taken.
async fn stage_with(
    store: &Store,
    rows: usize,
    half_way: impl AsyncFnOnce(),
) -> Result<Staged, StorageError> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new(
        "noise",
        DataType::Utf8,
        false,
    )]));
    let (to_stage, batches) = mpsc::channel(1);
    let sending = async {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut left, mut half_way) = (rows, Some(half_way));
        while left > 0 {
            if left <= rows / 2
                && let Some(happens) = half_way.take()
            {
                happens().await;
            }
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

/// What is visible is this object, every row of it.
async fn assert_whole(store: &Store, object: ObjectRecord) {
    let listed = store.listed_at(&object.path).await.expect("asked");
    let expected = Expected {
        object,
        attempt: AttemptNumber(1),
    };
    let listed = listed.expect("there");
    let judged = store.judge(&listed, Some(&expected), Depth::Rows);
    assert_eq!(judged.await.expect("judged"), None);
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

/// While it is written again and again, readers see one whole object or another.
async fn shows_whole_objects_only(store: &Store) {
    let sizes = [10, 9_000, 20, 9_010];
    publish(store, 20).await;
    let writing = async {
        for rows in sizes.into_iter().cycle().take(12) {
            publish(store, rows).await;
        }
    };
    tokio::pin!(writing);
    let mut seen = 0;
    loop {
        let reading = async {
            let batches = store.read_batches(&path()).await.expect("a whole object");
            batches.iter().map(RecordBatch::num_rows).sum::<usize>()
        };
        tokio::select! {
            () = &mut writing => break,
            rows = reading => {
                assert!(sizes.contains(&rows), "{rows} rows");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "somebody read meanwhile");
    store.remove(&path()).await.expect("removed");
}

/// Cut off at the worst moments, the store has the old object or the new one, and nothing else.
/// `noted` counts the open uploads whose notes have arrived, where that can be seen: a wire that is cut between opening
/// and noting leaves an upload that nothing can name.
async fn survives_a_cut_wire(
    store: &Store,
    wire: &mut Wire,
    noted: impl AsyncFn() -> Option<usize>,
) {
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
    // In the middle of an upload, whose first parts have left: as if the server had been killed.
    let before = noted().await;
    let cut_half_way = stage_with(store, 60_000, async || {
        for _ in 0..1_000 {
            if before.is_none() || noted().await > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        wire.cut().await;
    });
    let error = cut_half_way.await.expect_err("cut off");
    wire.mend().await;
    assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
    assert_eq!(rows_visible(store).await, Some(5));
}

/// Answers of 500 and slow ones are waited out; where they do not end, the old object stands.
async fn survives_a_moody_server(store: &Store, gateway: &Gateway) {
    let old = publish(store, 5).await;
    gateway.slow_down(Duration::from_millis(30));
    let staged = stage_with(store, 20_000, async || gateway.fail(3)).await;
    let staged = staged.expect("tried again");
    gateway.fail(2);
    let new = staged.publish().await.expect("tried again");
    gateway.slow_down(Duration::ZERO);
    assert_ne!(old.rows, new.rows);
    assert_eq!(rows_visible(store).await, Some(new.rows));

    let staged = stage(store, 7).await.expect("staged");
    gateway.fail(u32::MAX);
    let error = staged.publish().await.expect_err("always 500");
    gateway.fail(0);
    assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
    assert_eq!(rows_visible(store).await, Some(new.rows));
}

#[tokio::test]
async fn s3_that_answers_500_or_slowly_has_the_old_object_or_the_new_one() {
    let Some(server) = S3Server::start().await else {
        return;
    };
    let gateway = Gateway::to(server.port()).await;
    let store = Store::open_with("s3://lake/moody", &server.variables(&gateway.url("")));

    survives_a_moody_server(&store.expect("a store"), &gateway).await;

    assert_eq!(server.open_uploads().await, 0);
}

#[tokio::test]
async fn azure_that_answers_500_or_slowly_has_the_old_object_or_the_new_one() {
    let Some(server) = AzureServer::start().await else {
        return;
    };
    let gateway = Gateway::to(server.port()).await;
    let store = Store::open_with("az://lake/moody", &server.variables(&gateway.url("")));

    survives_a_moody_server(&store.expect("a store"), &gateway).await;
}

/// What the clouds answer when they refuse, by their documentation: the stand-ins refuse nothing of this.
#[tokio::test]
async fn each_refusal_is_told_by_its_cause_and_with_what_to_do() {
    let xml = |code: &str, text: &str| {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{text}</Message></Error>"
        )
    };
    let gateway = Gateway::to(1).await;
    let s3 = cloud_servers::s3_variables(&gateway.url(""));
    let azure = cloud_servers::azure_variables(&gateway.url(""));
    for (address, variables, status, body, kind, next) in [
        (
            "s3://lake",
            &s3,
            403,
            xml("AccessDenied", "Access Denied"),
            StorageErrorKind::Denied,
            "let the account",
        ),
        (
            "s3://lake",
            &s3,
            403,
            xml(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
            StorageErrorKind::Clock,
            "set it by NTP",
        ),
        (
            "s3://lake",
            &s3,
            404,
            xml("NoSuchBucket", "The specified bucket does not exist"),
            StorageErrorKind::NoBucket,
            "create it",
        ),
        (
            "s3://lake",
            &s3,
            401,
            xml("InvalidAccessKeyId", "It does not exist"),
            StorageErrorKind::Denied,
            "let the account",
        ),
        (
            "az://lake",
            &azure,
            403,
            "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Request date header too \
             old: 'Sat, 28 Nov 2026 01:00:00 GMT'</AuthenticationErrorDetail></Error>"
                .to_owned(),
            StorageErrorKind::Clock,
            "set it by NTP",
        ),
        (
            "az://lake",
            &azure,
            409,
            xml(
                "BlobImmutableDueToPolicy",
                "This operation is not permitted as the blob is immutable due to a policy.",
            ),
            StorageErrorKind::ReadOnly,
            "read-only",
        ),
        (
            "az://lake",
            &azure,
            403,
            xml("AuthorizationFailure", "This request is not authorized."),
            StorageErrorKind::Denied,
            "let the account",
        ),
    ] {
        gateway.refuse(status, &body);
        let store = Store::open_with(address, variables).expect("a store");

        let staged = stage(&store, 10).await.expect("staged in memory");
        let error = staged.publish().await.expect_err("refused");

        assert_eq!(error.kind, kind, "{address} {body}: {error}");
        assert!(error.to_string().contains(next), "{error}");
    }
}

#[tokio::test]
async fn the_encryption_by_the_store_that_is_asked_for_is_that_of_every_object() {
    let Some(server) = S3Server::start().await else {
        return;
    };
    let mut variables = server.variables(&server.url(""));
    let key = "arn:aws:kms:us-east-1:123456789012:key/7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0c";
    for (name, value) in [
        ("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms"),
        ("AWS_SSE_KMS_KEY_ID", key),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    let store = Store::open_with("s3://lake/encrypted", &variables).expect("a store");

    // One request, and an upload of parts.
    for rows in [10, 20_000] {
        let object = publish(&store, rows).await;
        let head = server.head(&format!("encrypted/{}", object.path)).await;
        assert_eq!(head["x-amz-server-side-encryption"], "aws:kms");
        assert_eq!(head["x-amz-server-side-encryption-aws-kms-key-id"], key);
        assert_eq!(rows_visible(&store).await, Some(object.rows));
    }
}

#[test]
fn a_kind_of_encryption_that_the_store_does_not_have_is_refused_at_once() {
    let mut variables = cloud_servers::s3_variables("http://127.0.0.1:1");
    variables.push(("AWS_SERVER_SIDE_ENCRYPTION".to_owned(), "rot13".to_owned()));

    let error = Store::open_with("s3://lake", &variables).expect_err("refused");

    assert!(error.to_string().contains("AWS_"), "{error}");
}

#[tokio::test]
async fn azure_killed_while_parts_arrive_has_the_old_object_and_takes_the_new_one_once_it_is_back()
{
    let Some(mut server) = AzureServer::start().await else {
        return;
    };
    let store = Store::open_with("az://lake/killed", &server.variables(&server.url("")));
    let store = store.expect("a store");
    let old = publish(&store, 5).await;
    until("the old object is saved", || server.has_saved(&old.path));
    let before = server.size_bytes();

    let killed = stage_with(&store, 60_000, async || {
        while server.size_bytes() < before + (4 << 20) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.kill();
    });
    let error = killed.await.expect_err("killed");
    server.start_again();

    assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert_whole(&store, old).await;
    let new = publish(&store, 20_000).await;
    assert_whole(&store, new).await;
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
    shows_whole_objects_only(&store).await;

    assert_eq!(server.open_uploads().await, 0);

    refuses_a_bucket_that_does_not_exist("s3://no-such-bucket/lake", &variables).await;

    survives_a_cut_wire(&store, &mut wire, async || {
        Some(server.noted_uploads().await)
    })
    .await;

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
    shows_whole_objects_only(&store).await;

    refuses_a_bucket_that_does_not_exist("az://no-such-container", &variables).await;

    // Parts that were never committed go by themselves there.
    survives_a_cut_wire(&store, &mut wire, async || None).await;
}

#[tokio::test]
async fn google_publishes_in_one_step_and_survives_a_cut_wire() {
    let server = GoogleStub::start().await;
    let mut wire = Wire::to(server.port).await;
    let variables = GoogleStub::variables(wire.port());
    let store = Store::open_with("gs://lake/nested/root", &variables).expect("a store");

    publishes_in_one_step(&store).await;
    shows_whole_objects_only(&store).await;

    assert_eq!(server.open_uploads(), 0);

    refuses_a_bucket_that_does_not_exist("gs://no-such-bucket", &variables).await;

    survives_a_cut_wire(&store, &mut wire, async || Some(server.noted_uploads())).await;

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
