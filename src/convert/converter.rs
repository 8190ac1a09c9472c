//! The pages of one result, one after the other, into record batches.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::column::Column;
use super::error::{ContractError, ConvertError, MalformedPage};
use super::findings::Findings;
use super::json::Malformed;
use super::page::PageReader;
use super::schema::arrow_schema;
use super::tokens::Layout;
use crate::domain::{Contract, PageNumber, QueryId};

/// Rows of a batch unless asked otherwise: enough that per-batch work does not show, few enough that all
/// columns stay in the processor's cache.
pub const DEFAULT_BATCH_ROWS: usize = 16_384;

/// Bytes of pages that make a batch even if their rows are few: long texts must not fill the memory.
const BATCH_BYTES: usize = 64 << 20;

/// Bytes of pages that one batch may be made of: offsets of text are 31 bits, and text never grows.
const MOST_BYTES: usize = i32::MAX as usize;

/// Turns the pages of one result, in order, into record batches of [`arrow_schema`].
///
/// A batch ends only where a page ends, and has about as many rows as asked for: more by up to a page.
///
/// ```
/// use halo_extract::convert::Converter;
/// use halo_extract::domain::{Class, Column, Contract, PageNumber};
///
/// let contract = Contract {
///     columns: vec![Column {
///         name: "code".to_owned(),
///         sql_type: "int".parse()?,
///         nullable: true,
///         class: Class::Clinical,
///         rule: None,
///         trim: false,
///         offset: false,
///         description: None,
///     }],
/// };
/// let mut converter = Converter::new(&"visit@v1".parse()?, &contract, 2);
/// converter.push_page(PageNumber(1), br#"[{"code":7}]"#)?;
/// assert!(converter.take_batch().is_none());
/// converter.push_page(PageNumber(2), br#"[{"code":null},{"code":"9"}]"#)?;
/// assert_eq!(converter.take_batch().expect("two rows or more").num_rows(), 3);
/// assert!(converter.finish().is_none());
///
/// let refused = converter.push_page(PageNumber(3), br#"[{"code":7.5}]"#);
/// assert!(refused.unwrap_err().to_string().contains("column `code` (int)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Converter {
    query: QueryId,
    schema: SchemaRef,
    /// Name and declared type of each column, for errors.
    names: Vec<(String, String)>,
    columns: Vec<Column>,
    layout: Layout,
    batch_rows: usize,
    /// Rows in the columns, not yet in a batch.
    buffered_rows: usize,
    /// Bytes of the pages they came from.
    buffered_bytes: usize,
    /// Rows of all pages so far.
    rows: u64,
    slow_rows: u64,
}

impl Converter {
    /// A converter for one result of `query`, whose batches have at least `batch_rows` rows.
    #[must_use]
    pub fn new(query: &QueryId, contract: &Contract, batch_rows: usize) -> Self {
        let columns = &contract.columns;
        let declared = |column: &crate::domain::Column| {
            let nullability = if column.nullable { "" } else { " not null" };
            format!("{}{nullability}", column.sql_type)
        };
        Self {
            query: query.clone(),
            schema: arrow_schema(contract),
            names: columns
                .iter()
                .map(|c| (c.name.clone(), declared(c)))
                .collect(),
            columns: columns.iter().map(Column::new).collect(),
            layout: Layout::compact(columns.iter().map(|column| column.name.as_str())),
            batch_rows,
            buffered_rows: 0,
            buffered_bytes: 0,
            rows: 0,
            slow_rows: 0,
        }
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Reads the JSON row array `rows` of one page; gives the number of its rows.
    ///
    /// # Errors
    /// When the page is not JSON rows or breaks the contract. Nothing of a refused page is kept.
    pub fn push_page(&mut self, page: PageNumber, rows: &[u8]) -> Result<u64, ConvertError> {
        let malformed = |problem: Malformed| MalformedPage {
            query: self.query.clone(),
            page,
            expected: problem.expected,
            offset: (rows.len() - problem.left) as u64,
            length: rows.len() as u64,
        };
        check_bytes(rows, self.buffered_bytes).map_err(malformed)?;
        let read = PageReader::new(
            rows,
            &self.names,
            &mut self.columns,
            &mut self.layout,
            self.buffered_rows as u32,
        )
        .read();
        match read {
            Ok(read) if read.findings.is_empty() => {
                self.buffered_rows += read.rows as usize;
                self.buffered_bytes += rows.len();
                self.rows += u64::from(read.rows);
                self.slow_rows += read.slow_rows;
                Ok(u64::from(read.rows))
            }
            Ok(read) => {
                self.forget_page();
                Err(self.contract_error(page, read.findings).into())
            }
            Err(problem) => {
                let error = malformed(problem);
                self.forget_page();
                Err(error.into())
            }
        }
    }

    /// A batch of all rows read so far, once they are enough. Ask after each page.
    #[must_use]
    pub fn take_batch(&mut self) -> Option<RecordBatch> {
        let enough = self.buffered_rows >= self.batch_rows || self.buffered_bytes >= BATCH_BYTES;
        if enough { self.finish() } else { None }
    }

    /// A batch of the rows that are left; `None` if there are none.
    #[must_use]
    pub fn finish(&mut self) -> Option<RecordBatch> {
        if self.buffered_rows == 0 {
            return None;
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for column in &mut self.columns {
            column.finish(self.buffered_rows, &mut arrays);
        }
        self.buffered_rows = 0;
        self.buffered_bytes = 0;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays);
        Some(batch.expect("columns are made as the schema says and are equally long"))
    }

    /// Rows of all pages so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that were not written as predicted and so were read slowly; a cost, not a fault.
    #[must_use]
    pub fn slow_rows(&self) -> u64 {
        self.slow_rows
    }

    fn forget_page(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.buffered_rows);
        }
    }

    fn contract_error(&self, page: PageNumber, findings: Findings) -> ContractError {
        let (violations, unlisted) = findings.into_violations(&self.names, self.rows);
        ContractError {
            query: self.query.clone(),
            page,
            violations,
            unlisted,
        }
    }
}

/// Checks what the reader relies on: UTF-8, and no more bytes than offsets can count.
fn check_bytes(rows: &[u8], buffered: usize) -> Result<(), Malformed> {
    if rows.len() > MOST_BYTES - buffered {
        return Err(Malformed {
            expected: "a page of less than 2 GiB",
            left: 0,
        });
    }
    match simdutf8::basic::from_utf8(rows) {
        Ok(_) => Ok(()),
        Err(_) => {
            let valid = std::str::from_utf8(rows).map_or_else(|e| e.valid_up_to(), str::len);
            Err(Malformed {
                expected: "UTF-8",
                left: rows.len() - valid,
            })
        }
    }
}
