//! A lake of two nights, five sites and two versions, read with the engines that analysts have.
//!
//! The expected values come from how the lake is made, see [`build_lake`]; nothing is read back by us.
//! `analyst_kit.py` asks the engines; those that Python cannot import are skipped, loudly.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, FixedSizeBinaryArray, Int32Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, TimeZone, Utc};
use halo_extract::domain::{
    AttemptNumber, Contract, Environment, Extraction, Mode, PmsType, Proof, Query, QueryId, Sha256,
};
use halo_extract::objects::{
    CoverageRow, Manifest, ManifestObject, Provenance, RunRow, Store, object_path,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{present, program, project, python};

const ENVIRONMENT: Environment = Environment::Simulator;
/// Keys that a careless reader takes for numbers, dates or nothing.
const SITES: [&str; 5] = ["s1", "s007", "s1e5", "null", "nan"];
const NIGHTS: [&str; 2] = ["2026-11-17..2026-11-18", "2026-11-18..2026-11-19"];

fn query(id: &str, mode: Mode) -> Query {
    Query {
        id: id.parse().expect("an id"),
        file: "unused".into(),
        purpose: "Made up for this test; it's quoted".to_owned(),
        owner: "tests".to_owned(),
        pms: PmsType::BestPractice,
        catalogue: None,
        mode,
        watermark: None,
        key: vec!["record_id".to_owned()],
        cron: None,
        measures: Vec::new(),
        opt_out: None,
        withheld: None,
        cost: None,
        freshness: None,
        contract: Contract {
            columns: Vec::new(),
        },
        sql: String::new(),
        variants: Vec::new(),
        fingerprint: "0f".repeat(32).parse().expect("a fingerprint"),
    }
}

fn extracted_at(night: usize) -> DateTime<Utc> {
    let day = 18 + u32::try_from(night).expect("a few");
    Utc.with_ymd_and_hms(2026, 11, day, 16, 0, 0)
        .single()
        .expect("an instant")
}

/// Rows of `ids`: the amount is id + night in cents ×100, and id 3 is deleted on the second night.
fn rows(ids: &[i32], night: usize, added: bool) -> RecordBatch {
    let night = i32::try_from(night).expect("a few");
    let amounts = ids.iter().map(|id| i128::from(*id + night) * 100 + 5);
    let amounts = Decimal128Array::from_iter_values(amounts);
    let guids = ids
        .iter()
        .map(|id| Some([u8::try_from(*id).expect("small"); 16]));
    let status = ids
        .iter()
        .map(|id| if *id == 3 && night == 1 { 2 } else { 1 });
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("record_id", Arc::new(Int32Array::from(ids.to_vec()))),
        (
            "record_status",
            Arc::new(Int32Array::from_iter_values(status)),
        ),
        (
            "amount",
            Arc::new(amounts.with_precision_and_scale(12, 2).expect("money")),
        ),
        (
            "guid",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(guids, 16).expect("16 bytes"),
            ),
        ),
        // 2026-11-17 is day 20,774 after 1970-01-01.
        (
            "observed",
            Arc::new(Date32Array::from_value(20_774 + night, ids.len())),
        ),
        (
            "changed",
            Arc::new(TimestampMicrosecondArray::from_value(
                (20_774 + i64::from(night)) * 86_400_000_000 + 1_500_000,
                ids.len(),
            )),
        ),
        ("note", new_null_array(&DataType::Utf8, ids.len())),
    ];
    if added {
        columns.push(("added", Arc::new(StringArray::from(vec!["new"; ids.len()]))));
    }
    let nullable = |name: &str| name == "note";
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), nullable(name)))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("a batch")
}

async fn publish(
    store: &Store,
    site: &str,
    id: &str,
    night: usize,
    rows: RecordBatch,
) -> ManifestObject {
    let extraction: Extraction = format!("{site}/{id}/{}", NIGHTS[night])
        .parse()
        .expect("one");
    let provenance = Provenance {
        environment: ENVIRONMENT,
        extraction,
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
        rows_declared: rows.num_rows() as u64,
        rows_withheld: None,
        merged: Vec::new(),
    };
    let (to_stage, batches) = mpsc::channel(1);
    let schema = rows.schema();
    if rows.num_rows() > 0 {
        to_stage.send(rows).await.expect("room for one");
    }
    drop(to_stage);
    let path = object_path(ENVIRONMENT, &provenance.extraction);
    let staged = store
        .stage(&path, &schema, &provenance, extracted_at(night), batches)
        .await;
    let object = staged.expect("staged").publish().await.expect("published");
    let count = object.rows;
    let proof = Proof {
        declared: count,
        pages: count,
        batches: count,
        footer: count,
        withheld: None,
    };
    ManifestObject::new(
        object,
        provenance.extraction.window,
        AttemptNumber(1),
        proof,
    )
}

/// Five sites. `observation@v1`: ids 1 to 3 on the first night, 2 to 4 on the second, so id 2 is in both and
/// id 3 is deleted. `observation@v2` has a column more and one night. `roster@v1` is a snapshot: ids 1, 2 on
/// the first night; on the second id 1, but at `s1` nobody.
async fn build_lake(folder: &Path) -> Store {
    let store = Store::open(&folder.display().to_string()).expect("a store");
    let mut published = Vec::new();
    for site in SITES {
        published.push(
            publish(
                &store,
                site,
                "observation@v1",
                0,
                rows(&[1, 2, 3], 0, false),
            )
            .await,
        );
        published.push(
            publish(
                &store,
                site,
                "observation@v1",
                1,
                rows(&[2, 3, 4], 1, false),
            )
            .await,
        );
        publish(&store, site, "observation@v2", 1, rows(&[2, 3, 4], 1, true)).await;
        publish(&store, site, "roster@v1", 0, rows(&[1, 2], 0, false)).await;
        let on_second: &[i32] = if site == "s1" { &[] } else { &[1] };
        publish(&store, site, "roster@v1", 1, rows(on_second, 1, false)).await;
    }
    let incremental = Mode::Incremental { overlap_days: 1 };
    let queries = [
        query("roster@v1", Mode::Snapshot),
        query("observation@v2", incremental),
        query("observation@v1", incremental),
        query("never_run@v1", incremental),
    ];
    let lake = store.survey(ENVIRONMENT, &queries).await.expect("surveyed");
    store.write_views(&lake).await.expect("written");
    write_tables(&store).await;
    write_manifest(&store, published.remove(0)).await;
    store
}

async fn write_tables(store: &Store) {
    let id: QueryId = "observation@v1".parse().expect("an id");
    let day = |arrived: bool| CoverageRow {
        site: "s007".parse().expect("a key"),
        query: id.clone(),
        date: extracted_at(0).date_naive(),
        expected: true,
        arrived,
        late: !arrived,
        held: false,
        rows: arrived.then_some(3),
        reason: (!arrived).then(|| "the practice's server is off".to_owned()),
    };
    let (to_table, rows) = mpsc::channel(1);
    to_table
        .send(vec![day(true), day(false)])
        .await
        .expect("room for one");
    drop(to_table);
    let staged = store.stage_coverage(ENVIRONMENT, rows).await;
    staged.expect("staged").publish().await.expect("written");
    let run = RunRow {
        extraction: format!("s007/{id}/{}", NIGHTS[0]).parse().expect("one"),
        attempt: AttemptNumber(1),
        outcome: "succeeded".to_owned(),
        failure: None,
        started_at: extracted_at(0),
        finished_at: None,
        rows: Some(3),
        size_bytes: None,
        pages: Some(1),
        remote_query_id: None,
    };
    let (to_table, rows) = mpsc::channel(1);
    to_table.send(vec![run]).await.expect("room for one");
    drop(to_table);
    let staged = store.stage_runs(ENVIRONMENT, rows).await;
    staged.expect("staged").publish().await.expect("written");
}

async fn write_manifest(store: &Store, object: ManifestObject) {
    let manifest = Manifest {
        format: Manifest::FORMAT,
        environment: ENVIRONMENT,
        night: extracted_at(0).date_naive(),
        site: SITES[0].parse().expect("a key"),
        query: "observation".parse().expect("a name"),
        version: "v1".parse().expect("a version"),
        written_at: extracted_at(0),
        objects: vec![object],
    };

    let written = store.write_manifests(std::slice::from_ref(&manifest)).await;
    written.expect("written");

    let read = store
        .read_manifest(&manifest.path())
        .await
        .expect("readable");
    assert_eq!(read, manifest);
}

/// What `engine` sees in the lake; `None`, loudly, if it is not installed.
fn ask(engine: &str, lake: &Path) -> Option<Value> {
    const NOT_INSTALLED: i32 = 9;
    let script = project().join("tests/it/analyst_kit.py");
    let mut question = Command::new(python()?);
    let answer = question
        .arg(script)
        .arg(engine)
        .arg(lake)
        .output()
        .expect("python runs");
    let installed = answer.status.code() != Some(NOT_INSTALLED);
    if !present(installed, &format!("Python has no {engine}")) {
        return None;
    }
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{engine}: {complaint}");
    Some(serde_json::from_slice(&answer.stdout).expect("JSON"))
}

/// Of `observation@v1`: rows, sum, notes, first date, last change. Per site 6.15 + 9 + 3 × 0.05 …: on the
/// first night 1.05 + 2.05 + 3.05, on the second 3.05 + 4.05 + 5.05; five sites.
fn sums() -> Value {
    json!([30, "91.50", 0, "2026-11-17", "2026-11-18 00:00:01.500000"])
}

/// Newest of each key: id 1 of the first night, 2 and 4 of the second; 3 is deleted.
fn latest() -> Value {
    let mut sites = SITES;
    sites.sort_unstable();
    let of_site = |site: &str| {
        [
            json!([site, 1, "1.05"]),
            json!([site, 2, "3.05"]),
            json!([site, 4, "5.05"]),
        ]
    };
    sites.into_iter().flat_map(of_site).collect()
}

#[tokio::test]
async fn duckdb_sees_what_was_published_through_the_views() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    build_lake(folder.path()).await;
    let Some(seen) = ask("duckdb", folder.path()) else {
        return;
    };

    let mut sites = SITES;
    sites.sort_unstable();
    let listed: Vec<Value> = sites.iter().map(|site| json!([site])).collect();
    let one_each = |sites: &[&str], rows: u64| -> Vec<Value> {
        sites.iter().map(|site| json!([site, rows])).collect()
    };
    let without_s1: Vec<&str> = sites.into_iter().filter(|site| *site != "s1").collect();
    assert_eq!(seen["history"], json!([[30, "91.50", 0]]));
    assert_eq!(seen["sites"], Value::from(listed));
    assert_eq!(seen["latest"], latest());
    assert_eq!(seen["as_of_first"], json!([[15, "30.75"]]));
    assert_eq!(seen["as_of_none"], json!([[0]]));
    assert_eq!(seen["both"], json!([[45, 15]]), "both versions together");
    assert_eq!(
        seen["current"],
        json!([[10, 10]]),
        "the highest version, one night, id 3 deleted"
    );
    assert_eq!(
        seen["snapshot"],
        Value::from(one_each(&without_s1, 1)),
        "nobody is left at s1"
    );
    assert_eq!(seen["snapshot_as_of"], Value::from(one_each(&sites, 2)));
    assert_eq!(seen["coverage"], json!([[1]]));
    assert_eq!(seen["runs"], json!([["succeeded", 3]]));
    assert_eq!(seen["footer"], json!([["observation"]]));
    let types = seen["types"].as_array().expect("rows").clone();
    for expected in [
        json!(["amount", "DECIMAL(12,2)"]),
        json!(["guid", "UUID"]),
        json!(["observed", "DATE"]),
        json!(["changed", "TIMESTAMP"]),
        json!(["_extracted_at", "TIMESTAMP WITH TIME ZONE"]),
        json!(["site", "VARCHAR"]),
        json!(["date", "DATE"]),
    ] {
        assert!(types.contains(&expected), "{expected} in {types:?}");
    }
    let views = seen["tables"].to_string();
    assert!(!views.contains("never_run"), "{views}");
}

/// What each engine calls a column of money, a GUID, a date, a practice's local time, an instant, and the two that
/// come from folders' names. The docs tell the same.
fn types_of(engine: &str) -> [(&'static str, &'static str); 7] {
    let [amount, guid, observed, changed, extracted, site, date] = match engine {
        "polars" => [
            "Decimal(precision=12, scale=2)",
            "Binary",
            "Date",
            "Datetime(time_unit='us', time_zone=None)",
            "Datetime(time_unit='us', time_zone='UTC')",
            "String",
            "Date",
        ],
        "pyarrow" => [
            "decimal128(12, 2)",
            "extension<arrow.uuid>",
            "date32[day]",
            "timestamp[us]",
            "timestamp[us, tz=UTC]",
            "string",
            "string",
        ],
        // Objects of Python: Decimal, UUID and date.
        "pandas" => [
            "object",
            "object",
            "object",
            "datetime64[us]",
            "datetime64[us, UTC]",
            "category",
            "category",
        ],
        "datafusion" => [
            "Decimal128(12, 2)",
            "FixedSizeBinary(16)",
            "Date32",
            "Timestamp(µs)",
            "Timestamp(µs, \"UTC\")",
            "Utf8",
            "Date32",
        ],
        "spark" => [
            "decimal(12,2)",
            "left out",
            "date",
            "timestamp_ntz",
            "timestamp",
            "string",
            "date",
        ],
        other => panic!("{other} is not known"),
    };
    [
        ("amount", amount),
        ("guid", guid),
        ("observed", observed),
        ("changed", changed),
        ("_extracted_at", extracted),
        ("site", site),
        ("date", date),
    ]
}

fn assert_types(engine: &str, seen: &Value) {
    for (column, kind) in types_of(engine) {
        let told = seen["types"].get(column).cloned();
        let told = told.unwrap_or_else(|| json!("left out"));
        assert_eq!(told, kind, "{column} in {engine}");
    }
}

fn sorted_sites() -> Vec<&'static str> {
    let mut sites = SITES.to_vec();
    sites.sort_unstable();
    sites
}

#[tokio::test]
async fn polars_pyarrow_pandas_and_datafusion_see_the_same_sums_types_and_sites() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    build_lake(folder.path()).await;

    for engine in ["polars", "pyarrow", "pandas", "datafusion"] {
        let Some(seen) = ask(engine, folder.path()) else {
            continue;
        };
        assert_eq!(seen["sums"], sums(), "{engine}");
        assert_types(engine, &seen);
        assert_eq!(seen["guid"], "02".repeat(16), "{engine}");
        assert_eq!(seen["sites"], json!(sorted_sites()), "{engine}");
        // Both versions together: 30 rows without the column that was added, 15 with it.
        assert_eq!(seen["both"], json!([45, 15]), "{engine}");
    }
}

#[tokio::test]
async fn spark_sees_what_was_published_through_the_views() {
    if program("java", "JAVA").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    build_lake(folder.path()).await;

    if let Some(seen) = ask("spark", folder.path()) {
        assert_eq!(seen["sums"], sums());
        assert_eq!(seen["latest"], latest());
        assert_eq!(seen["as_of_first"], json!([[15, "30.75"]]));
        assert_eq!(seen["current"], json!([[10, 10]]));
        // Both versions together: 30 rows without the column that was added, 15 with it.
        assert_eq!(
            seen["both"],
            json!({"union": [45, 15], "at once": [45, 15]})
        );
        // Why the docs do not tell to use `mergeSchema`.
        let refused = ["CONFLICTING_DIRECTORY_STRUCTURES", "PARQUET_TYPE_ILLEGAL"];
        assert_eq!(seen["merged schema"], json!(refused));
        let sites = sorted_sites().into_iter().map(|site| json!([site]));
        assert_eq!(seen["sites"], sites.collect::<Value>());
        assert_types("spark", &seen);
    }
}

/// Trino itself is not here: somebody else's reader of its dialect reads the statements, and DuckDB is asked what they mean.
#[tokio::test]
async fn what_is_written_for_trino_is_its_sql_and_says_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    build_lake(folder.path()).await;

    if let Some(seen) = ask("trino", folder.path()) {
        let tables = ["observation_v1", "observation_v2", "roster_v1"];
        let refresh = |name| {
            format!("CALL system.sync_partition_metadata(CURRENT_SCHEMA, '{name}_files', 'FULL')")
        };
        assert_eq!(seen["refreshed"], json!(tables.map(refresh)));
        assert_eq!(seen["sums"], sums());
        assert_eq!(seen["latest"], latest());
        assert_eq!(seen["as_of_first"], json!([[15, "30.75"]]));
        assert_eq!(seen["current"], json!([[10, 10]]));
        let sites = sorted_sites().into_iter().map(|site| json!([site]));
        assert_eq!(seen["sites"], sites.collect::<Value>());
    }
}
