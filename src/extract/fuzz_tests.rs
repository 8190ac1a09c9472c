//! Whatever rows come in whatever shape of page: they are converted as a strict reader reads them or refused, and
//! the batches take no more memory than the contract's columns and the page's own bytes justify.

use arrow::array::RecordBatch;
use serde_json::value::RawValue;

use crate::convert::{Converter, DEFAULT_BATCH_ROWS};
use crate::domain::{Class, Column, Contract, PageNumber, QueryId};
use crate::remote::Page;
use crate::remote::fuzz_bodies::campaign;

/// A column of every family of types.
const COLUMNS: [(&str, &str, bool); 12] = [
    ("id", "int", false),
    ("big", "bigint", true),
    ("name", "varchar(40)", true),
    ("seen", "datetime2", true),
    ("born", "date", true),
    ("at", "time", true),
    ("offset", "datetimeoffset", true),
    ("value", "decimal(10,2)", true),
    ("rate", "float", true),
    ("flag", "bit", true),
    ("guid", "uniqueidentifier", true),
    ("raw", "varbinary(20)", true),
];

/// Most bytes that a row takes in all columns besides its texts: the widest value of each with its validity.
const ROW_BYTES: usize = 17 * COLUMNS.len();

/// What each column takes however few rows there are: array, buffers and their rounding.
const COLUMN_BYTES: usize = 2 << 10;

#[test]
fn no_rows_whatever_make_the_way_from_page_to_batch_panic_or_grow_beyond_its_bounds() {
    let contract = contract();
    let query: QueryId = "fuzz@v1".parse().expect("a query id");
    campaign("rows", |rows, dice| {
        let page = Page::new(PageNumber(1), None, shaped(rows, dice));
        let Ok(rows) = page.into_rows() else { return };
        let rows = rows.as_ref();
        // Twice, because a page that was refused must leave nothing behind for the next.
        let mut converter = Converter::new(&query, &contract, DEFAULT_BATCH_ROWS);
        let first = converter.push_page(PageNumber(1), rows).ok();
        let second = converter.push_page(PageNumber(2), rows).ok();
        assert_eq!(first, second);
        let batch = converter.finish();
        let found = batch.as_ref().map_or(0, RecordBatch::num_rows);
        assert_eq!(found as u64, 2 * first.unwrap_or(0));
        if let Some(accepted) = first {
            let strict: Vec<&RawValue> = serde_json::from_slice(rows).expect("strict JSON");
            assert_eq!(strict.len() as u64, accepted);
        }
        if let Some(batch) = batch {
            assert!(
                batch.get_array_memory_size() <= bound(found, 2 * rows.len()),
                "{} bytes for {found} rows of {} bytes",
                batch.get_array_memory_size(),
                rows.len()
            );
        }
    });
}

/// Most memory of the batches of `rows` rows that came in `bytes` bytes: buffers at most double when they grow, and
/// texts are never longer than they came.
fn bound(rows: usize, bytes: usize) -> usize {
    2 * (rows * ROW_BYTES + bytes) + COLUMNS.len() * COLUMN_BYTES
}

fn contract() -> Contract {
    let columns = COLUMNS.iter().map(|(name, sql_type, nullable)| Column {
        name: (*name).to_owned(),
        sql_type: sql_type.parse().expect("a type"),
        nullable: *nullable,
        class: Class::Clinical,
        rule: None,
        trim: *name == "name",
        offset: false,
        description: None,
    });
    Contract {
        columns: columns.collect(),
    }
}

/// The body of a page that holds `rows` in one of its three shapes.
fn shaped(rows: &[u8], dice: &mut fastrand::Rng) -> Vec<u8> {
    match dice.u8(..4) {
        0 => {
            let data = base64_simd::STANDARD.encode_to_string(rows);
            format!(r#"{{"data":"{data}"}}"#).into_bytes()
        }
        1 => serde_json::to_vec(&String::from_utf8_lossy(rows)).expect("text is JSON"),
        _ => rows.to_vec(),
    }
}
