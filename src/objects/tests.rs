//! Staging, publishing and reading back, on a real folder and on a store that can refuse.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::{Array, AsArray, BinaryArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, TimestampMicrosecondType};
use chrono::NaiveDate;
use futures::TryStreamExt;
use object_store::ObjectStore;
use parquet::basic::{Compression, Encoding, LogicalType};
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::samples::{
    Row, Watch, WatchedStore, batch_of, every_type, extracted_at, files_below, folder, noise, path,
    plausible_batches, provenance, publish, stage,
};
use super::{StorageError, StorageErrorKind, Store, output_schema};
use crate::domain::FailureClass;

fn without_added(batches: &[RecordBatch]) -> RecordBatch {
    let schema = every_type();
    let all = batches.iter().map(|batch| {
        let columns = batch.columns()[..schema.fields().len()].to_vec();
        RecordBatch::try_new(Arc::clone(&schema), columns).expect("the query's columns")
    });
    concat_batches(&schema, &all.collect::<Vec<_>>()).expect("equal schemas")
}

fn any_row() -> impl Strategy<Value = Row> {
    let first = (
        any::<Option<bool>>(),
        any::<Option<u8>>(),
        any::<Option<i16>>(),
        any::<Option<i32>>(),
        any::<Option<i64>>(),
        prop::option::of(-999_999_999_i128..=999_999_999),
        prop::option::of(-(10_i128.pow(38) - 1)..10_i128.pow(38)),
        any::<Option<f32>>(),
    );
    let second = (
        any::<Option<f64>>(),
        any::<Option<i32>>(),
        prop::option::of(0_i64..86_400_000_000),
        any::<Option<i64>>(),
        any::<Option<i64>>(),
        any::<Option<String>>(),
        any::<Option<[u8; 16]>>(),
        any::<Option<Vec<u8>>>(),
    );
    (first, second).prop_map(|(first, second)| Row {
        bit: first.0,
        tinyint: first.1,
        smallint: first.2,
        int: first.3,
        bigint: first.4,
        decimal_9_2: first.5,
        decimal_38_10: first.6,
        real: first.7,
        float: second.0,
        date: second.1,
        time: second.2,
        datetime: second.3,
        datetimeoffset: second.4,
        varchar: second.5,
        uniqueidentifier: second.6,
        varbinary: second.7,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn rows_of_every_type_read_back_equal(
        batches in prop::collection::vec(prop::collection::vec(any_row(), 0..12), 0..4),
    ) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let batches: Vec<RecordBatch> = batches.iter().map(|rows| batch_of(rows)).collect();
        let read = runtime.block_on(async {
            let store = Store::over(Arc::new(WatchedStore::default()));
            publish(&store, batches.clone()).await;
            store.read_batches(&path()).await.expect("readable")
        });

        prop_assert_eq!(without_added(&read), without_added(&batches));
    }
}

#[tokio::test]
async fn many_rows_in_chosen_encodings_and_several_lanes_read_back_equal() {
    let (_folder, store) = folder();
    let batches = plausible_batches(40_000, 7_001);

    let record = publish(&store, batches.clone()).await;

    let read = store.read_batches(&record.path).await.expect("readable");
    assert_eq!(record.rows, 40_000);
    assert_eq!(without_added(&read), without_added(&batches));
}

#[tokio::test]
async fn each_column_has_the_encoding_that_suits_its_values() {
    let (_folder, store) = folder();
    publish(&store, plausible_batches(20_000, 5_000)).await;

    let footer = store.read_footer(&path()).await.expect("a footer");

    let group = footer.metadata.row_group(0);
    let encodings = |name: &str| -> Vec<Encoding> {
        let column = group
            .columns()
            .iter()
            .find(|column| column.column_path().string() == name);
        column.expect(name).encodings().collect()
    };
    // Few distinct values: a dictionary. Counting up: differences. Noise: neither helps.
    assert!(encodings("varchar").contains(&Encoding::RLE_DICTIONARY));
    assert!(encodings("int").contains(&Encoding::DELTA_BINARY_PACKED));
    assert!(encodings("datetime").contains(&Encoding::DELTA_BINARY_PACKED));
    assert!(!encodings("uniqueidentifier").contains(&Encoding::RLE_DICTIONARY));
    assert!(encodings("_site").contains(&Encoding::RLE_DICTIONARY));
}

#[tokio::test]
async fn equal_rows_give_equal_bytes() {
    let (_one, first) = folder();
    let (_other, second) = folder();

    let first = publish(&first, plausible_batches(20_000, 5_000)).await;
    let second = publish(&second, plausible_batches(20_000, 5_000)).await;

    assert_eq!(first, second);
}

#[tokio::test]
async fn the_record_tells_size_and_digest_of_the_file() {
    use sha2::Digest;
    let (folder, store) = folder();

    let record = publish(&store, plausible_batches(100, 100)).await;

    let bytes = std::fs::read(folder.path().join(&record.path)).expect("the file");
    assert_eq!(record.size_bytes, bytes.len() as u64);
    assert_eq!(
        record.sha256.0,
        <[u8; 32]>::from(sha2::Sha256::digest(&bytes))
    );
}

#[tokio::test]
async fn a_row_group_ends_at_131072_rows_whatever_the_batches() {
    let (_folder, store) = folder();
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::UInt8, false)]));
    let batch = |rows: usize| {
        let column = Arc::new(arrow::array::UInt8Array::from_value(3, rows));
        RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column")
    };

    let staged = stage(
        &store,
        &schema,
        vec![batch(262_140), batch(10), batch(0), batch(5)],
    )
    .await;
    let record = staged.expect("staged").publish().await.expect("published");

    let footer = store.read_footer(&record.path).await.expect("a footer");
    let groups: Vec<i64> = footer
        .metadata
        .row_groups()
        .iter()
        .map(|group| group.num_rows())
        .collect();
    assert_eq!(groups, [131_072, 131_072, 11]);
}

#[tokio::test]
async fn an_empty_result_is_an_object_without_rows_and_with_all_columns() {
    let (_folder, store) = folder();

    let record = publish(&store, Vec::new()).await;

    let footer = store.read_footer(&record.path).await.expect("a footer");
    assert_eq!((record.rows, footer.rows), (0, 0));
    assert_eq!(
        footer.schema.fields(),
        output_schema(&every_type()).fields()
    );
}

#[tokio::test]
async fn every_row_says_where_it_comes_from() {
    let (_folder, store) = folder();

    publish(&store, plausible_batches(5, 3)).await;

    let read = store.read_batches(&path()).await.expect("readable");
    let read = concat_batches(&read[0].schema(), &read).expect("equal schemas");
    let column = |name: &str| Arc::clone(read.column_by_name(name).expect(name));
    let days = |day: u32| {
        let date = NaiveDate::from_ymd_opt(2026, 11, day).expect("a date");
        (date - NaiveDate::default()).num_days() as i32
    };
    assert!(
        column("_site")
            .as_string::<i32>()
            .iter()
            .all(|site| site == Some("s40123"))
    );
    assert_eq!(
        column("_window_start")
            .as_primitive::<Date32Type>()
            .values(),
        &[days(18); 5]
    );
    assert_eq!(
        column("_window_end").as_primitive::<Date32Type>().values(),
        &[days(19); 5]
    );
    let instants = column("_extracted_at");
    let instants = instants.as_primitive::<TimestampMicrosecondType>();
    assert_eq!(instants.values(), &[extracted_at().timestamp_micros(); 5]);
    assert_eq!(instants.null_count(), 0);
}

#[tokio::test]
async fn the_footer_tells_provenance_and_program_and_field_ids() {
    let (_folder, store) = folder();
    publish(&store, plausible_batches(5, 5)).await;

    let footer = store.read_footer(&path()).await.expect("a footer");

    assert_eq!(footer.provenance, Some(provenance()));
    assert_eq!(footer.rows, 5);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(footer.created_by, Some(format!("halo-extract {version}")));
    let columns = footer.metadata.file_metadata().schema_descr();
    let ids: Vec<i32> = columns
        .columns()
        .iter()
        .map(|column| column.self_type().get_basic_info().id())
        .collect();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    let uuid = columns.column(14);
    assert_eq!(uuid.name(), "uniqueidentifier");
    assert_eq!(uuid.logical_type_ref(), Some(&LogicalType::Uuid));
}

#[tokio::test]
async fn long_free_text_has_no_page_statistics_and_short_text_has() {
    let (_folder, store) = folder();
    let (schema, batches) = noise(1, 2_000);
    let staged = stage(&store, &schema, batches).await.expect("staged");
    staged.publish().await.expect("published");

    let footer = store.read_footer(&path()).await.expect("a footer");

    let has_column_index = |column: usize| {
        let chunk = footer.metadata.row_group(0).column(column);
        chunk.column_index_offset().is_some()
    };
    assert!(!has_column_index(0), "noise");
    assert!(has_column_index(1), "_site");
}

#[tokio::test]
async fn a_small_object_tells_the_statistics_of_its_columns_and_no_index_of_pages() {
    let (_folder, store) = folder();
    publish(&store, plausible_batches(5, 5)).await;

    let footer = store.read_footer(&path()).await.expect("a footer");

    for column in footer.metadata.row_group(0).columns() {
        assert!(column.column_index_offset().is_none());
        assert!(column.offset_index_offset().is_none());
        assert!(column.statistics().is_some(), "{}", column.column_path());
    }
}

#[tokio::test]
async fn only_columns_of_some_bytes_are_compressed() {
    for (rows, compressed) in [(5, false), (500, true)] {
        let (_folder, store) = folder();
        publish(&store, plausible_batches(rows, rows)).await;

        let footer = store.read_footer(&path()).await.expect("a footer");

        let days = footer.metadata.row_group(0).column(17);
        assert_eq!(days.column_path().string(), "_window_start");
        let zstd = matches!(days.compression(), Compression::ZSTD(_));
        assert_eq!(zstd, compressed, "{rows} rows");
    }
}

#[tokio::test]
async fn a_reader_sees_the_old_object_until_the_new_one_is_published() {
    let (folder, store) = folder();
    let old = publish(&store, plausible_batches(3, 3)).await;

    // 20 MiB: several parts have left before the end.
    let (schema, batches) = noise(5, 4096);
    let staged = stage(&store, &schema, batches).await.expect("staged");
    let visible: Vec<String> = files_below(&folder.path().join("simulator/data"));
    let meanwhile = store.read_footer(&old.path).await.expect("the old one");
    let new = staged.publish().await.expect("published");
    let after = store.read_footer(&new.path).await.expect("the new one");

    assert_eq!(visible.len(), 1, "{visible:?}");
    assert_eq!(meanwhile.rows, 3);
    assert_eq!(after.rows, 5 * 4096);
    assert_eq!(files_below(folder.path()), [new.path]);
}

#[tokio::test]
async fn a_rerun_replaces_the_object_and_adds_none() {
    let (folder, store) = folder();

    publish(&store, plausible_batches(3, 3)).await;
    let record = publish(&store, plausible_batches(4, 4)).await;

    let footer = store.read_footer(&record.path).await.expect("a footer");
    assert_eq!(footer.rows, 4);
    assert_eq!(files_below(folder.path()), [record.path]);
}

#[tokio::test]
async fn an_aborted_object_leaves_nothing() {
    let (folder, store) = folder();

    stage(&store, &every_type(), plausible_batches(3, 3))
        .await
        .expect("staged")
        .abort()
        .await;
    let (schema, batches) = noise(5, 4096);
    stage(&store, &schema, batches)
        .await
        .expect("staged")
        .abort()
        .await;

    assert_eq!(files_below(folder.path()), [""; 0]);
}

async fn objects_in(store: &Store) -> usize {
    let listed = store.inner.list(None).try_collect::<Vec<_>>().await;
    listed.expect("listed").len()
}

#[tokio::test]
async fn a_refused_part_is_told_and_the_upload_aborted() {
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    watch.refuse_part.store(2, Ordering::SeqCst);
    let (schema, batches) = noise(10, 4096);

    let error = stage(&store, &schema, batches).await.expect_err("refused");

    assert_eq!(error.kind, StorageErrorKind::Full);
    assert_eq!(watch.uploads_begun.load(Ordering::SeqCst), 1);
    assert_eq!(watch.uploads_open.load(Ordering::SeqCst), 0);
    assert_eq!(objects_in(&store).await, 0);
}

#[tokio::test]
async fn a_refused_publish_keeps_the_old_object_and_no_open_upload() {
    for large in [false, true] {
        let inner = WatchedStore::default();
        let watch = Arc::clone(&inner.watch);
        let store = Store::over(Arc::new(inner));
        let old = publish(&store, plausible_batches(3, 3)).await;
        let (schema, batches) = if large { noise(5, 4096) } else { noise(1, 1) };
        watch.refuse_publish.store(1, Ordering::SeqCst);

        let staged = stage(&store, &schema, batches).await.expect("staged");
        let error = staged.publish().await.expect_err("refused");

        let footer = store.read_footer(&old.path).await.expect("the old one");
        assert_eq!(footer.rows, 3);
        assert_eq!(error.class(), FailureClass::Storage);
        assert_eq!(
            watch.uploads_begun.load(Ordering::SeqCst),
            usize::from(large)
        );
        assert_eq!(watch.uploads_open.load(Ordering::SeqCst), 0);
    }
}

/// Waits until what was begun in the background has ended: no upload is open.
async fn all_ended(watch: &Watch) {
    while watch.uploads_open.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_staging_that_is_dropped_half_way_aborts_its_upload() {
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    let (schema, batches) = noise(10, 4096);
    let (to_stage, staged) = mpsc::channel(1);
    let (path, provenance) = (path(), provenance());
    let mut staging = Box::pin(store.stage(&path, &schema, &provenance, extracted_at(), staged));
    for batch in batches {
        tokio::select! {
            ended = &mut staging => panic!("{:?}", ended.map(|_| ())),
            sent = to_stage.send(batch) => sent.expect("taken"),
        }
    }
    assert_eq!(watch.uploads_open.load(Ordering::SeqCst), 1);

    drop(staging);
    drop(to_stage);

    all_ended(&watch).await;
    assert_eq!(objects_in(&store).await, 0);
}

#[tokio::test]
async fn rows_so_wide_that_few_of_them_are_large_do_not_wait_for_more() {
    const VALUE_BYTES: usize = 1 << 20;
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    let field = Field::new("noise", DataType::Binary, false);
    let schema = Arc::new(Schema::new(vec![field]));
    let mut random = fastrand::Rng::with_seed(13);
    let (to_stage, staged) = mpsc::channel(1);
    let (path, provenance) = (path(), provenance());
    let mut staging = Box::pin(store.stage(&path, &schema, &provenance, extracted_at(), staged));
    for _ in 0..24 {
        let mut value = vec![0; VALUE_BYTES];
        random.fill(&mut value);
        let column = Arc::new(BinaryArray::from_iter_values([value]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column");
        tokio::select! {
            ended = &mut staging => panic!("{:?}", ended.map(|_| ())),
            sent = to_stage.send(batch) => sent.expect("taken"),
        }
    }

    // 24 rows; the choice of encodings would look at thousands.
    let arriving = async {
        while watch.bytes_arrived.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        ended = &mut staging => panic!("{:?}", ended.map(|_| ())),
        arrived = tokio::time::timeout(Duration::from_secs(20), arriving) => arrived.expect("a part"),
    }
}

#[tokio::test]
async fn a_staged_object_that_is_dropped_aborts_its_upload() {
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    let (schema, batches) = noise(5, 4096);
    let staged = stage(&store, &schema, batches).await.expect("staged");
    assert_eq!(watch.uploads_open.load(Ordering::SeqCst), 1);

    drop(staged);

    all_ended(&watch).await;
    assert_eq!(objects_in(&store).await, 0);
}

#[tokio::test]
async fn a_batch_that_does_not_fit_after_parts_have_left_aborts_the_upload() {
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    let (schema, mut batches) = noise(10, 4096);
    batches.extend(plausible_batches(3, 3));

    let error = stage(&store, &schema, batches).await.expect_err("refused");

    assert_eq!(error.kind, StorageErrorKind::Encode);
    assert_eq!(watch.uploads_begun.load(Ordering::SeqCst), 1);
    all_ended(&watch).await;
    assert_eq!(objects_in(&store).await, 0);
}

#[test]
fn a_file_system_that_is_mounted_read_only_is_said_to_be() {
    // Linux and macOS call it 30 (EROFS); no test can mount one.
    let refused = std::io::Error::from_raw_os_error(30);
    let error = StorageError::from_io("write", "lake", refused);

    assert_eq!(error.kind, StorageErrorKind::ReadOnly);
    assert!(error.to_string().contains("mount it writable"), "{error}");
}

#[tokio::test]
async fn a_batch_of_other_columns_is_refused_and_nothing_is_written() {
    let (folder, store) = folder();
    let (_, other) = noise(1, 1);

    let error = stage(&store, &every_type(), other)
        .await
        .expect_err("refused");

    assert_eq!(error.kind, StorageErrorKind::Encode);
    assert_eq!(error.class(), FailureClass::Internal);
    assert_eq!(files_below(folder.path()), [""; 0]);
}

#[tokio::test]
async fn memory_holds_a_row_group_and_a_few_parts_however_long_the_result() {
    const BATCH_BYTES: u64 = 1024 * 1024;
    let inner = WatchedStore::default();
    let watch = Arc::clone(&inner.watch);
    let store = Store::over(Arc::new(inner));
    let (schema, batch) = noise(1, 1024);
    let (to_stage, batches) = mpsc::channel(1);
    let sending = async {
        let mut most = 0;
        for sent in 1..=192 {
            to_stage.send(batch[0].clone()).await.expect("taken");
            let arrived = watch.bytes_arrived.load(Ordering::SeqCst);
            most = most.max((sent * BATCH_BYTES).saturating_sub(arrived));
        }
        drop(to_stage);
        most
    };
    let (path, provenance) = (path(), provenance());
    let staging = store.stage(&path, &schema, &provenance, extracted_at(), batches);

    let (staged, most) = tokio::join!(staging, sending);

    staged.expect("staged").abort().await;
    // 16 MiB of sample, a row group of 16 MiB and a batch or two beyond, four parts of 8 MiB.
    assert!(most <= 72 << 20, "{most} bytes were under way");
}

#[test]
fn a_store_opens_by_path_and_by_url_and_makes_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let by_path = folder.path().join("by path");
    let by_url = folder.path().join("by-url/deeper");

    Store::open(&by_path.display().to_string()).expect("by path");
    Store::open(&format!("file://{}", by_url.display())).expect("by URL");

    assert!(by_path.is_dir());
    assert!(by_url.is_dir());
}

#[test]
fn an_address_that_names_no_known_storage_is_refused_with_what_to_write() {
    for address in ["", "ftp://host/lake", "file://elsewhere/lake"] {
        let error = Store::open(address).expect_err(address).to_string();
        assert!(error.contains("--storage"), "{error}");
    }
}

#[tokio::test]
async fn a_file_where_a_folder_should_be_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("lake");
    std::fs::write(&file, "not a folder").expect("written");
    let at_open = Store::open(&file.display().to_string()).expect_err("refused");

    let store = Store::open(&folder.path().display().to_string()).expect("a store");
    std::fs::create_dir(folder.path().join("simulator")).expect("made");
    std::fs::write(folder.path().join("simulator/data"), "in the way").expect("written");
    let staged = stage(&store, &every_type(), Vec::new())
        .await
        .expect("staged");
    let at_publish = staged.publish().await.expect_err("refused");

    assert_eq!(at_open.kind, StorageErrorKind::NotAFolder);
    assert_eq!(at_publish.kind, StorageErrorKind::NotAFolder);
    assert!(at_publish.to_string().contains(&path()), "{at_publish}");
    assert_eq!(files_below(folder.path()), ["lake", "simulator/data"]);
}

#[tokio::test]
async fn what_is_no_parquet_file_is_foreign_and_what_is_absent_is_missing() {
    let (folder, store) = folder();
    std::fs::write(folder.path().join("notes.txt"), "hello").expect("written");

    let foreign = store.read_footer("notes.txt").await.expect_err("foreign");
    let missing = store.read_footer("nothing").await.expect_err("missing");

    assert!(matches!(foreign.kind, StorageErrorKind::Foreign(_)));
    assert_eq!(missing.kind, StorageErrorKind::Missing);
}
