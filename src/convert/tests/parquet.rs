//! JSON → Arrow → Parquet → Arrow: the values that are read back are those that were written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::LogicalType;
use proptest::prelude::*;

use super::build::{contract, convert};
use super::reference::{cells, cells_of};
use crate::convert::arrow_schema;

fn write(batch: &RecordBatch) -> Bytes {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(batch).expect("a batch of the schema");
    writer.into_inner().expect("a footer").into()
}

fn read(object: Bytes) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(object).expect("Parquet");
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader
        .build()
        .expect("a reader")
        .map(|batch| batch.expect("a batch"))
        .collect();
    concat_batches(&Arc::clone(&schema), &batches).expect("one schema")
}

const EXTREMES: &[(&str, &[&str])] = &[
    ("bit", &["true", "false", "null"]),
    ("tinyint", &["0", "255", "null"]),
    ("smallint", &["-32768", "32767", "null"]),
    ("int", &["-2147483648", "2147483647", "null"]),
    (
        "bigint",
        &["-9223372036854775808", "9223372036854775807", "null"],
    ),
    (
        "decimal(38,0)",
        &[
            "99999999999999999999999999999999999999",
            "-99999999999999999999999999999999999999",
            "null",
        ],
    ),
    (
        "decimal(38,38)",
        &["0.99999999999999999999999999999999999999", "-1e-38", "null"],
    ),
    ("decimal(9,2)", &["9999999.99", "-0.01", "null"]),
    (
        "money",
        &["922337203685477.5807", "-922337203685477.5808", "null"],
    ),
    ("smallmoney", &["214748.3647", "-214748.3648", "null"]),
    ("real", &["3.4028235e38", "-1e-45", "-0", "null"]),
    (
        "float",
        &["1.7976931348623157e308", "-5e-324", "-0", "null"],
    ),
    ("date", &["\"0001-01-01\"", "\"9999-12-31\"", "null"]),
    ("time(7)", &["\"00:00:00\"", "\"23:59:59.999999\"", "null"]),
    (
        "smalldatetime",
        &["\"1900-01-01T00:00:00\"", "\"2079-06-06T23:59:00\"", "null"],
    ),
    (
        "datetime",
        &[
            "\"1753-01-01T00:00:00\"",
            "\"9999-12-31T23:59:59.997\"",
            "null",
        ],
    ),
    (
        "datetime2(7)",
        &[
            "\"0001-01-01T00:00:00\"",
            "\"9999-12-31T23:59:59.9999990\"",
            "null",
        ],
    ),
    (
        "datetimeoffset(7)",
        &[
            "\"0001-01-01T00:00:00+14:00\"",
            "\"9999-12-31T23:59:59.999999-14:00\"",
            "null",
        ],
    ),
    ("char(3)", &["\"   \"", "\"abc\"", "null"]),
    (
        "nvarchar(max)",
        &[
            "\"\"",
            "\"\\u0000\\uffff\\ud83d\\ude00\\\"\\\\\\n\"",
            "\"\u{10ffff}\"",
            "null",
        ],
    ),
    ("xml", &["\"<a b=\\\"1\\\">\u{e9}</a>\"", "null"]),
    (
        "uniqueidentifier",
        &[
            "\"00000000-0000-0000-0000-000000000000\"",
            "\"ffffffff-ffff-ffff-ffff-FFFFFFFFFFFF\"",
            "null",
        ],
    ),
    ("varbinary(max)", &["\"\"", "\"AAECAwQFBgcICQ==\"", "null"]),
    ("rowversion", &["\"AAAAAAAAB9E=\"", "null"]),
];

#[test]
fn extreme_values_of_every_type_survive_parquet() {
    for (declared, values) in EXTREMES {
        let contract = contract(&[("v", declared)]);
        let page = super::build::page_of(values);
        let expected = cells(&contract, page.as_bytes()).expect("a sound page");

        let batch = convert(&contract, &page).expect(declared);
        let back = read(write(&batch));

        assert_eq!(cells_of(&back), expected, "{declared}");
        assert_eq!(back, batch, "{declared}");
        assert_eq!(back.schema(), arrow_schema(&contract), "{declared}");
    }
}

#[test]
fn a_uniqueidentifier_is_a_uuid_in_parquet() {
    let contract = contract(&[("v", "uniqueidentifier")]);
    let batch = convert(&contract, "[{\"v\":null}]").expect("a page");
    let reader = ParquetRecordBatchReaderBuilder::try_new(write(&batch)).expect("Parquet");
    let column = reader.parquet_schema().column(0);
    assert_eq!(column.logical_type_ref(), Some(&LogicalType::Uuid));
}

#[test]
fn the_schema_says_the_sql_type_and_class_of_each_column() {
    let contract = contract(&[("dose", "decimal(9,2) not null")]);
    let schema = arrow_schema(&contract);
    let field = schema.field(0);
    assert!(!field.is_nullable());
    assert_eq!(field.metadata()["sql_type"], "decimal(9,2)");
    assert_eq!(field.metadata()["class"], "clinical");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_survive_parquet(rows in proptest::collection::vec((
        any::<Option<i64>>(), any::<Option<String>>(), any::<Option<i32>>(), proptest::option::of(0..253_402_300_800_i64),
    ), 0..40)) {
        let contract = contract(&[("a", "bigint"), ("b", "nvarchar(max)"), ("c", "decimal(13,3)"), ("d", "datetime2(7)")]);
        let rows: Vec<serde_json::Value> = rows
            .into_iter()
            .map(|(a, b, c, d)| {
                let c = c.map(|c| format!("{}.{:03}", c, c.unsigned_abs() % 1000));
                let d = d.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
                let d = d.map(|d| d.naive_utc().format("%Y-%m-%dT%H:%M:%S").to_string());
                serde_json::json!({"a": a, "b": b, "c": c, "d": d})
            })
            .collect();
        let page = serde_json::to_string(&rows).expect("JSON");
        let expected = cells(&contract, page.as_bytes()).expect("a sound page");

        let batch = convert(&contract, &page).expect("a sound page");

        prop_assert_eq!(cells_of(&read(write(&batch))), expected);
    }
}
