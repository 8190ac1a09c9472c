//! A Parquet file as a table: its columns from its types, and its rows.

use std::fs::File;
use std::path::Path;

use arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{DateTime, Days, NaiveDate};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::folder::LoadError;
use super::strict;
use crate::simulator::engine::{ColumnDefinition, SqlType, Value};

/// An open Parquet file.
pub(super) struct ParquetTable {
    fields: Vec<Field>,
    batches: ParquetRecordBatchReader,
}

impl ParquetTable {
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let file = File::open(path).map_err(|error| LoadError::unreadable(path, &error))?;
        let bad = |error: parquet::errors::ParquetError| {
            LoadError::new(path, &format!("is no readable Parquet file ({error})"))
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(bad)?;
        let fields = builder
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone())
            .collect();
        let batches = builder.with_batch_size(4096).build().map_err(bad)?;
        Ok(Self { fields, batches })
    }

    pub(super) fn header(&self) -> Vec<String> {
        self.fields
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// The SQL Server types nearest to the file's own.
    pub(super) fn columns(&self, path: &Path) -> Result<Vec<ColumnDefinition>, LoadError> {
        let columns = self.fields.iter().map(|field| {
            let sql_type = sql_type(field.data_type()).ok_or_else(|| unknown_type(path, field))?;
            Ok(ColumnDefinition {
                name: field.name().clone(),
                sql_type,
                nullable: field.is_nullable(),
            })
        });
        columns.collect()
    }

    /// The rows as values of the columns, in the columns' order.
    pub(super) fn rows<'p>(
        self,
        path: &'p Path,
        columns: &'p [ColumnDefinition],
        order: Vec<usize>,
    ) -> impl Iterator<Item = Result<Vec<Value>, LoadError>> + 'p {
        let mut before = 0u64;
        let fields = self.fields;
        self.batches.flat_map(move |batch| {
            let rows = match batch {
                Ok(batch) => batch_rows(path, &fields, &batch, columns, &order, before),
                Err(error) => Err(LoadError::new(
                    path,
                    &format!("breaks off after row {before} ({error})"),
                )),
            };
            let rows: Vec<Result<Vec<Value>, LoadError>> = match rows {
                Ok(rows) => rows.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            before += rows.len() as u64;
            rows
        })
    }
}

fn batch_rows(
    path: &Path,
    fields: &[Field],
    batch: &RecordBatch,
    columns: &[ColumnDefinition],
    order: &[usize],
    before: u64,
) -> Result<Vec<Vec<Value>>, LoadError> {
    let mut rows: Vec<Vec<Value>> = (0..batch.num_rows())
        .map(|_| Vec::with_capacity(columns.len()))
        .collect();
    for (column, at) in columns.iter().zip(order) {
        let array = batch.column(*at);
        for (row, values) in rows.iter_mut().enumerate() {
            let value = if array.is_null(row) {
                Value::Null
            } else {
                read(array, row, column.sql_type).ok_or_else(|| unknown_type(path, &fields[*at]))?
            };
            let place = before + row as u64 + 1;
            values.push(
                strict::value(value, column.sql_type)
                    .ok_or_else(|| LoadError::misfit(path, "row", place, column))?,
            );
        }
    }
    Ok(rows)
}

fn unknown_type(path: &Path, field: &Field) -> LoadError {
    LoadError::new(
        path,
        &format!(
            "column {}: type {} has no SQL Server type; convert the column",
            field.name(),
            field.data_type()
        ),
    )
}

fn sql_type(data_type: &DataType) -> Option<SqlType> {
    Some(match data_type {
        DataType::Boolean | DataType::Null => SqlType::Bit,
        DataType::UInt8 => SqlType::TinyInt,
        DataType::Int8 | DataType::Int16 => SqlType::SmallInt,
        DataType::UInt16 | DataType::Int32 => SqlType::Int,
        DataType::UInt32 | DataType::Int64 => SqlType::BigInt,
        DataType::Float32 => SqlType::Real,
        DataType::Float64 => SqlType::Float,
        DataType::Decimal128(precision, scale) => {
            SqlType::Decimal(*precision, u8::try_from(*scale).ok()?)
        }
        DataType::Date32 => SqlType::Date,
        DataType::Timestamp(_, None) => SqlType::DateTime2(7),
        DataType::Timestamp(_, Some(_)) => SqlType::DateTimeOffset(7),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => SqlType::NVarChar(None),
        DataType::Binary | DataType::LargeBinary => SqlType::VarBinary(None),
        _ => return None,
    })
}

/// One value that is not NULL; `None` for a type that is not known.
fn read(array: &ArrayRef, row: usize, to: SqlType) -> Option<Value> {
    Some(match array.data_type() {
        DataType::Boolean => Value::Bit(array.as_boolean().value(row)),
        DataType::UInt8 => Value::Int(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::Int8 => Value::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::UInt16 => Value::Int(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::UInt32 => Value::Int(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => {
            Value::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Value::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Value::Text(array.as_string_view().value(row).to_owned()),
        DataType::Binary => Value::Binary(array.as_binary::<i32>().value(row).to_vec()),
        DataType::LargeBinary => Value::Binary(array.as_binary::<i64>().value(row).to_vec()),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Value::Text(date(i64::from(days))?.format("%Y-%m-%d").to_string())
        }
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() && matches!(to, SqlType::DateTimeOffset(_)) {
                "+00:00"
            } else {
                ""
            };
            Value::Text(format!("{}{zone}", moment(array, row, *unit)?))
        }
        _ => return None,
    })
}

fn date(days: i64) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("the epoch is a date");
    let distance = Days::new(days.unsigned_abs());
    if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    }
}

/// ISO text of a timestamp, in UTC where it has a zone.
fn moment(array: &ArrayRef, row: usize, unit: TimeUnit) -> Option<String> {
    let moment = match unit {
        TimeUnit::Second => {
            DateTime::from_timestamp(array.as_primitive::<TimestampSecondType>().value(row), 0)?
        }
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(
            array.as_primitive::<TimestampMillisecondType>().value(row),
        )?,
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(
            array.as_primitive::<TimestampMicrosecondType>().value(row),
        )?,
        TimeUnit::Nanosecond => DateTime::from_timestamp_nanos(
            array.as_primitive::<TimestampNanosecondType>().value(row),
        ),
    };
    Some(
        moment
            .naive_utc()
            .format("%Y-%m-%dT%H:%M:%S%.f")
            .to_string(),
    )
}
