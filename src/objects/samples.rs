//! Batches, provenance and stores for the tests of this module.

use std::fmt;
use std::path::Path as FsPath;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use chrono::{DateTime, TimeZone, Utc};
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use tokio::sync::mpsc;

use super::{Provenance, Staged, StorageError, Store, object_path};
use crate::domain::{AttemptNumber, Environment, ObjectRecord, PmsType, Sha256};

pub(super) fn provenance() -> Provenance {
    Provenance {
        environment: Environment::Simulator,
        extraction: "s40123/observation@v2/2026-11-18..2026-11-19"
            .parse()
            .expect("an extraction"),
        fingerprint: "0f".repeat(32).parse().expect("a fingerprint"),
        variant: None,
        contract_hash: Sha256([1; 32]),
        privacy_hash: Sha256([2; 32]),
        pseudonym_key_id: Some("k1".to_owned()),
        pms_type: PmsType::BestPractice,
        link_version: None,
        remote_query_id: "7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0c"
            .parse()
            .expect("an id"),
        attempt: AttemptNumber(3),
        rows_declared: 5,
        rows_withheld: Some(2),
        merged: Vec::new(),
    }
}

pub(super) fn path() -> String {
    let provenance = provenance();
    object_path(provenance.environment, &provenance.extraction)
}

pub(super) fn extracted_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 19, 2, 3, 4)
        .single()
        .expect("an instant")
}

/// One row of every type of the type table, each of them nullable.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) bit: Option<bool>,
    pub(super) tinyint: Option<u8>,
    pub(super) smallint: Option<i16>,
    pub(super) int: Option<i32>,
    pub(super) bigint: Option<i64>,
    pub(super) decimal_9_2: Option<i128>,
    pub(super) decimal_38_10: Option<i128>,
    pub(super) real: Option<f32>,
    pub(super) float: Option<f64>,
    pub(super) date: Option<i32>,
    pub(super) time: Option<i64>,
    pub(super) datetime: Option<i64>,
    pub(super) datetimeoffset: Option<i64>,
    pub(super) varchar: Option<String>,
    pub(super) uniqueidentifier: Option<[u8; 16]>,
    pub(super) varbinary: Option<Vec<u8>>,
}

pub(super) fn every_type() -> SchemaRef {
    let timestamp =
        |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let columns = [
        ("bit", DataType::Boolean),
        ("tinyint", DataType::UInt8),
        ("smallint", DataType::Int16),
        ("int", DataType::Int32),
        ("bigint", DataType::Int64),
        ("decimal_9_2", DataType::Decimal128(9, 2)),
        ("decimal_38_10", DataType::Decimal128(38, 10)),
        ("real", DataType::Float32),
        ("float", DataType::Float64),
        ("date", DataType::Date32),
        ("time", DataType::Time64(TimeUnit::Microsecond)),
        ("datetime", timestamp(None)),
        ("datetimeoffset", timestamp(Some("UTC"))),
        ("varchar", DataType::Utf8),
        ("uniqueidentifier", DataType::FixedSizeBinary(16)),
        ("varbinary", DataType::Binary),
    ];
    let fields: Vec<Field> = columns
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect();
    Arc::new(Schema::new(fields))
}

pub(super) fn batch_of(rows: &[Row]) -> RecordBatch {
    let decimals = |of: fn(&Row) -> Option<i128>, precision, scale| {
        Decimal128Array::from_iter(rows.iter().map(of))
            .with_precision_and_scale(precision, scale)
            .expect("a precision and scale")
    };
    let uuids = rows.iter().map(|row| row.uniqueidentifier);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.bit))),
        Arc::new(UInt8Array::from_iter(rows.iter().map(|row| row.tinyint))),
        Arc::new(Int16Array::from_iter(rows.iter().map(|row| row.smallint))),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.int))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.bigint))),
        Arc::new(decimals(|row| row.decimal_9_2, 9, 2)),
        Arc::new(decimals(|row| row.decimal_38_10, 38, 10)),
        Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.real))),
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.float))),
        Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.date))),
        Arc::new(Time64MicrosecondArray::from_iter(
            rows.iter().map(|row| row.time),
        )),
        Arc::new(TimestampMicrosecondArray::from_iter(
            rows.iter().map(|row| row.datetime),
        )),
        Arc::new(
            TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.datetimeoffset))
                .with_timezone("UTC"),
        ),
        Arc::new(StringArray::from_iter(
            rows.iter().map(|row| row.varchar.as_deref()),
        )),
        Arc::new(
            FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).expect("16 bytes each"),
        ),
        Arc::new(BinaryArray::from_iter(
            rows.iter().map(|row| row.varbinary.as_deref()),
        )),
    ];
    RecordBatch::try_new(every_type(), columns).expect("columns of the schema")
}

/// A row as a practice might have it: some columns repeat, some count up, some are noise.
pub(super) fn plausible_row(number: usize, random: &mut fastrand::Rng) -> Row {
    Row {
        bit: Some(random.bool()),
        tinyint: Some(random.u8(0..12)),
        smallint: (!number.is_multiple_of(7)).then(|| random.i16(..)),
        int: Some(number as i32),
        bigint: Some(random.i64(..)),
        decimal_9_2: random.bool().then(|| random.i128(0..100_000)),
        decimal_38_10: random
            .bool()
            .then(|| random.i128(-10_i128.pow(37)..10_i128.pow(37))),
        real: Some(random.f32()),
        float: Some(random.f64()),
        date: Some(20_000 + (number / 100) as i32),
        time: Some(random.i64(0..86_400_000_000)),
        datetime: Some(1_700_000_000_000_000 + number as i64 * 60_000_000),
        datetimeoffset: None,
        varchar: Some(format!("code {}", random.u8(0..50))),
        uniqueidentifier: Some(random.u128(..).to_be_bytes()),
        varbinary: random
            .bool()
            .then(|| vec![random.u8(..); random.usize(0..9)]),
    }
}

pub(super) async fn stage(
    store: &Store,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> std::result::Result<Staged, StorageError> {
    let (to_stage, staged) = mpsc::channel(1);
    let sending = async move {
        for batch in batches {
            if to_stage.send(batch).await.is_err() {
                return;
            }
        }
    };
    let path = path();
    let provenance = provenance();
    let staging = store.stage(&path, schema, &provenance, extracted_at(), staged);
    tokio::join!(staging, sending).0
}

pub(super) async fn publish(store: &Store, batches: Vec<RecordBatch>) -> ObjectRecord {
    let staged = stage(store, &every_type(), batches).await.expect("staged");
    staged.publish().await.expect("published")
}

pub(super) fn plausible_batches(rows: usize, batch_rows: usize) -> Vec<RecordBatch> {
    let mut random = fastrand::Rng::with_seed(7);
    let rows: Vec<Row> = (0..rows)
        .map(|number| plausible_row(number, &mut random))
        .collect();
    rows.chunks(batch_rows).map(batch_of).collect()
}

pub(super) fn folder() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&folder.path().display().to_string()).expect("a store");
    (folder, store)
}

/// Text that no encoding makes smaller, in values of 1 KiB: large objects of few rows.
pub(super) fn noise(batches: usize, rows: usize) -> (SchemaRef, Vec<RecordBatch>) {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new(
        "noise",
        DataType::Utf8,
        false,
    )]));
    let mut random = fastrand::Rng::with_seed(11);
    let batches = (0..batches)
        .map(|_| {
            let values = (0..rows).map(|_| {
                (0..1024)
                    .map(|_| random.char(' '..='~'))
                    .collect::<String>()
            });
            let column = Arc::new(StringArray::from_iter_values(values));
            RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column")
        })
        .collect();
    (schema, batches)
}

/// Every file below `folder`, as text relative to it, sorted.
pub(super) fn files_below(folder: &FsPath) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(folder).expect("below it");
                found.push(relative.display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// What a [`WatchedStore`] has seen, and what it refuses.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) bytes_arrived: AtomicU64,
    pub(super) uploads_open: AtomicUsize,
    pub(super) uploads_begun: AtomicUsize,
    /// The part, from 1, that is refused; 0 refuses none.
    pub(super) refuse_part: AtomicUsize,
    pub(super) refuse_publish: AtomicUsize,
}

impl Watch {
    fn refuse_publish(&self) -> Result<()> {
        if self.refuse_publish.load(Ordering::SeqCst) == 0 {
            Ok(())
        } else {
            Err(refusal())
        }
    }
}

fn refusal() -> object_store::Error {
    object_store::Error::Generic {
        store: "watched",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
    }
}

/// A store in memory that counts, and refuses on demand.
#[derive(Debug, Default)]
pub(super) struct WatchedStore {
    inner: InMemory,
    pub(super) watch: Arc<Watch>,
}

impl fmt::Display for WatchedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("watched")
    }
}

#[async_trait]
impl ObjectStore for WatchedStore {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.watch.refuse_publish()?;
        self.inner.put_opts(at, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.watch.uploads_open.fetch_add(1, Ordering::SeqCst);
        self.watch.uploads_begun.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(WatchedUpload {
            inner: self.inner.put_multipart_opts(at, how).await?,
            watch: Arc::clone(&self.watch),
            parts: 0,
        }))
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(below)
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

#[derive(Debug)]
struct WatchedUpload {
    inner: Box<dyn MultipartUpload>,
    watch: Arc<Watch>,
    parts: usize,
}

#[async_trait]
impl MultipartUpload for WatchedUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.parts += 1;
        if self.parts == self.watch.refuse_part.load(Ordering::SeqCst) {
            return Box::pin(async { Err(refusal()) });
        }
        let arrived = part.content_length() as u64;
        let (sent, watch) = (self.inner.put_part(part), Arc::clone(&self.watch));
        Box::pin(async move {
            sent.await?;
            watch.bytes_arrived.fetch_add(arrived, Ordering::SeqCst);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.watch.refuse_publish()?;
        self.watch.uploads_open.fetch_sub(1, Ordering::SeqCst);
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.watch.uploads_open.fetch_sub(1, Ordering::SeqCst);
        self.inner.abort().await
    }
}
