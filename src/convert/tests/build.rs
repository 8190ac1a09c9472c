//! Small builders, so that a test shows only what matters to it.

use arrow::array::RecordBatch;

use crate::convert::{ContractError, ConvertError, Converter, DEFAULT_BATCH_ROWS, Reason};
use crate::domain::{Class, Column, Contract, PageNumber, QueryId};

/// A column declared as a query's header declares it: `decimal(10,2) not null`.
pub(super) fn column(name: &str, declared: &str) -> Column {
    let (sql_type, nullable) = match declared.strip_suffix(" not null") {
        Some(sql_type) => (sql_type, false),
        None => (declared, true),
    };
    Column {
        name: name.to_owned(),
        sql_type: sql_type.parse().expect(declared),
        nullable,
        class: Class::Clinical,
        rule: None,
        trim: false,
        offset: false,
        description: None,
    }
}

/// A contract of columns `(name, declared type)`.
pub(super) fn contract(columns: &[(&str, &str)]) -> Contract {
    let columns = columns
        .iter()
        .map(|(name, declared)| column(name, declared));
    Contract {
        columns: columns.collect(),
    }
}

pub(super) fn query() -> QueryId {
    "visit@v3".parse().expect("a query id")
}

pub(super) fn converter(contract: &Contract) -> Converter {
    Converter::new(&query(), contract, DEFAULT_BATCH_ROWS)
}

/// The batch of one page.
pub(super) fn convert(contract: &Contract, page: &str) -> Result<RecordBatch, ConvertError> {
    let mut converter = converter(contract);
    let rows = converter.push_page(PageNumber(1), page.as_bytes())?;
    assert_eq!(rows, converter.rows());
    let batch = converter.finish();
    Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(converter.schema())))
}

/// A page of one column `v` whose rows are the JSON texts `values`.
pub(super) fn page_of(values: &[&str]) -> String {
    let rows: Vec<String> = values
        .iter()
        .map(|value| format!("{{\"v\":{value}}}"))
        .collect();
    format!("[{}]", rows.join(","))
}

/// The one-column batch of `values`, declared as `declared`.
pub(super) fn convert_values(declared: &str, values: &[&str]) -> Result<RecordBatch, ConvertError> {
    convert(&contract(&[("v", declared)]), &page_of(values))
}

/// The reason for which the single value `value` is refused.
pub(super) fn refusal(declared: &str, value: &str) -> Option<Reason> {
    let error = convert_values(declared, &[value]).err()?;
    let violations = contract_error(error).violations;
    assert_eq!(violations.len(), 1, "{declared}: {value}");
    Some(violations[0].reason)
}

pub(super) fn contract_error(error: ConvertError) -> ContractError {
    match error {
        ConvertError::Contract(error) => error,
        ConvertError::Malformed(error) => panic!("expected a contract error: {error}"),
    }
}
