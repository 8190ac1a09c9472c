//! The Arrow schema of a contract: the type table, in one place.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::domain::{Column, Contract, SqlType};

/// All columns of the contract in order, before any privacy rule.
///
/// A `datetimeoffset` whose offset is asked for is followed by [`offset_column`]. Each field carries the
/// metadata `sql_type` and `class`; a `uniqueidentifier` also Arrow's `arrow.uuid` extension.
#[must_use]
pub fn arrow_schema(contract: &Contract) -> SchemaRef {
    let fields = contract.columns.iter().flat_map(fields);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Name of the column that keeps a `datetimeoffset` column's offset from UTC, in minutes.
#[must_use]
pub fn offset_column(name: &str) -> String {
    format!("{name}_offset_minutes")
}

/// Whether the column brings its offset along.
pub(super) fn has_offset(column: &Column) -> bool {
    column.offset && matches!(column.sql_type, SqlType::DateTimeOffset(_))
}

fn fields(column: &Column) -> impl Iterator<Item = Field> {
    let main = field(column, column.name.clone(), data_type(column.sql_type));
    let offset =
        has_offset(column).then(|| field(column, offset_column(&column.name), DataType::Int16));
    std::iter::once(main).chain(offset)
}

fn field(column: &Column, name: String, data_type: DataType) -> Field {
    let mut metadata = HashMap::from([
        ("sql_type".to_owned(), column.sql_type.to_string()),
        ("class".to_owned(), column.class.to_string()),
    ]);
    if column.sql_type == SqlType::UniqueIdentifier {
        metadata.insert("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned());
    }
    Field::new(name, data_type, column.nullable).with_metadata(metadata)
}

/// The Arrow type of a SQL Server type: the narrowest that holds every value exactly.
pub(super) fn data_type(sql_type: SqlType) -> DataType {
    match sql_type {
        SqlType::Bit => DataType::Boolean,
        SqlType::TinyInt => DataType::UInt8,
        SqlType::SmallInt => DataType::Int16,
        SqlType::Int => DataType::Int32,
        SqlType::BigInt => DataType::Int64,
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => {
            let (precision, scale) = precision_and_scale(sql_type);
            DataType::Decimal128(precision, scale as i8)
        }
        SqlType::Real => DataType::Float32,
        SqlType::Float => DataType::Float64,
        SqlType::Date => DataType::Date32,
        SqlType::Time(_) => DataType::Time64(TimeUnit::Microsecond),
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        SqlType::DateTimeOffset(_) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText
        | SqlType::Xml => DataType::Utf8,
        SqlType::UniqueIdentifier => DataType::FixedSizeBinary(16),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            DataType::Binary
        }
    }
}

/// Digits in all and after the point, of the exact numeric types; (0, 0) for others.
pub(super) fn precision_and_scale(sql_type: SqlType) -> (u8, u8) {
    match sql_type {
        SqlType::Decimal { precision, scale } => (precision, scale),
        SqlType::Money => (19, 4),
        SqlType::SmallMoney => (10, 4),
        _ => (0, 0),
    }
}
