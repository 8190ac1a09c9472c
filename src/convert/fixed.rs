//! Columns of one machine value per row: integers, decimals, floats, dates and times.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use super::column::Values;
use super::error::Reason;
use super::json::Value;

/// How the values of one type are written.
pub(super) trait Form: Send {
    /// The Arrow type that keeps them.
    type Type: ArrowPrimitiveType;

    /// The value at the beginning of `rest` and its length in bytes, if it is in the common spelling.
    fn plain(&self, rest: &[u8]) -> Option<(Native<Self>, usize)>;

    /// The value that `value` spells, in any accepted spelling.
    fn read(&self, value: &Value<'_>) -> Result<Native<Self>, Reason>;
}

pub(super) type Native<F> = <<F as Form>::Type as ArrowPrimitiveType>::Native;

/// Values of one form, one after the other.
pub(super) struct Fixed<F: Form> {
    form: F,
    data_type: DataType,
    values: Vec<Native<F>>,
}

impl<F: Form> Fixed<F> {
    pub(super) fn new(form: F, data_type: DataType) -> Self {
        Self {
            form,
            data_type,
            values: Vec::new(),
        }
    }
}

impl<F: Form> Values for Fixed<F> {
    fn push_plain<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let (value, length) = self.form.plain(rest)?;
        let after = rest.get(length..)?;
        self.values.push(value);
        Some(after)
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        self.values.push(self.form.read(value)?);
        Ok(())
    }

    fn push_blank(&mut self) {
        self.values.push(Native::<F>::default());
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>, arrays: &mut Vec<ArrayRef>) {
        let next = Vec::with_capacity(self.values.len());
        let values = mem::replace(&mut self.values, next);
        let array = PrimitiveArray::<F::Type>::new(values.into(), nulls)
            .with_data_type(self.data_type.clone());
        arrays.push(Arc::new(array));
    }
}
