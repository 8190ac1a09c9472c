//! One column of the contract while its values are read: the values, and which of them are null.

use arrow::array::ArrayRef;
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type, UInt8Type};

use super::binary::Binaries;
use super::bits::Bits;
use super::decimals::Decimals;
use super::error::Reason;
use super::fixed::{Fixed, Form};
use super::floats::{Floats, Reals};
use super::integers::Integers;
use super::json::{self, Malformed, Value};
use super::moments::{Dates, LocalMoments, Times};
use super::offsets::Instants;
use super::schema::{data_type, has_offset, precision_and_scale};
use super::text::Texts;
use super::uuids::Uuids;
use crate::domain::{self, SqlType};

/// The values of a column: one implementation for each family of types.
///
/// Each call that appends, appends one value; one that fails appends nothing.
pub(super) trait Values: Send {
    /// Appends the value at the beginning of `rest` if it is in the common spelling, and gives what
    /// follows it. `None` decides nothing: the strict scanner reads the value again.
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]>;

    /// Appends a value that is not null.
    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason>;

    /// Appends what stands in the place of a null.
    fn push_blank(&mut self);

    /// Forgets all values but the first `rows`.
    fn truncate(&mut self, rows: usize);

    /// Moves the values into arrays: one, or two with the offset of a `datetimeoffset`.
    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>);
}

/// Values and nulls of one column of the contract.
pub(super) struct Column {
    values: Box<dyn Values>,
    /// Rows that are null, ascending: most columns have few, and the bitmap is made once at the end.
    nulls: Vec<u32>,
    nullable: bool,
}

/// What reading a value gave besides the rest of the page: a reason if it does not fit.
pub(super) type Read<'a> = Result<(&'a [u8], Option<Reason>), Malformed>;

impl Column {
    pub(super) fn new(column: &domain::Column) -> Self {
        Self {
            values: values_of(column),
            nulls: Vec::new(),
            nullable: column.nullable,
        }
    }

    /// Appends the value at the beginning of `rest` as that of `row`; a value that does not fit is
    /// replaced by a blank and its reason given, so that the columns stay equally long.
    #[inline]
    pub(super) fn read<'a>(&mut self, rest: &'a [u8], row: u32) -> Read<'a> {
        match self.values.push_plain(rest) {
            Some(after) => Ok((after, None)),
            None => self.read_slowly(rest, row),
        }
    }

    fn read_slowly<'a>(&mut self, rest: &'a [u8], row: u32) -> Read<'a> {
        let (value, after) = json::value(rest)?;
        let fits = match value {
            Value::Null if self.nullable => {
                self.nulls.push(row);
                self.values.push_blank();
                Ok(())
            }
            Value::Null => Err(Reason::Null),
            value => self.values.push(&value),
        };
        if fits.is_err() {
            self.values.push_blank();
        }
        Ok((after, fits.err()))
    }

    /// Appends a blank for a row that lacks the column, which is an error in itself.
    pub(super) fn push_missing(&mut self) {
        self.values.push_blank();
    }

    /// Forgets all rows but the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        let kept = self.nulls.partition_point(|row| (*row as usize) < rows);
        self.nulls.truncate(kept);
    }

    /// Moves all `rows` rows into arrays.
    pub(super) fn finish(&mut self, rows: usize, arrays: &mut Vec<ArrayRef>) {
        let nulls = null_buffer(&self.nulls, rows);
        self.nulls.clear();
        self.values.finish(nulls, arrays);
    }
}

/// The validity bitmap of `rows` rows; none if no row is null.
fn null_buffer(nulls: &[u32], rows: usize) -> Option<NullBuffer> {
    if nulls.is_empty() {
        return None;
    }
    let mut bits = vec![0xFF_u8; rows.div_ceil(8)];
    for row in nulls {
        bits[(row / 8) as usize] &= !(1 << (row % 8));
    }
    let bits = BooleanBuffer::new(Buffer::from_vec(bits), 0, rows);
    Some(NullBuffer::new(bits))
}

/// The empty values of a column's type.
fn values_of(column: &domain::Column) -> Box<dyn Values> {
    let sql_type = column.sql_type;
    match sql_type {
        SqlType::Bit => Box::new(Bits::new()),
        SqlType::TinyInt => fixed(Integers::<UInt8Type>::new(), sql_type),
        SqlType::SmallInt => fixed(Integers::<Int16Type>::new(), sql_type),
        SqlType::Int => fixed(Integers::<Int32Type>::new(), sql_type),
        SqlType::BigInt => fixed(Integers::<Int64Type>::new(), sql_type),
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => {
            let (precision, scale) = precision_and_scale(sql_type);
            fixed(Decimals::new(precision, scale), sql_type)
        }
        SqlType::Real => fixed(Reals, sql_type),
        SqlType::Float => fixed(Floats, sql_type),
        SqlType::Date => fixed(Dates, sql_type),
        SqlType::Time(_) => fixed(Times, sql_type),
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => {
            fixed(LocalMoments, sql_type)
        }
        SqlType::DateTimeOffset(_) => Box::new(Instants::new(has_offset(column))),
        SqlType::UniqueIdentifier => Box::new(Uuids::new()),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            Box::new(Binaries::new(sql_type))
        }
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText
        | SqlType::Xml => Box::new(Texts::new(sql_type, column.trim)),
    }
}

fn fixed<F: Form + 'static>(form: F, sql_type: SqlType) -> Box<dyn Values> {
    let data_type: DataType = data_type(sql_type);
    Box::new(Fixed::new(form, data_type))
}
