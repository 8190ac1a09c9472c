//! The rules of a contract, carried out batch by batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int16Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Date32Type, Field, Int16Type, Schema, SchemaRef};
use chrono::NaiveDate;

use super::calendar::{age_on, days, month_of, year_of};
use super::error::PrivacyError;
use super::key::PseudonymKey;
use super::pseudonym::Pseudonymiser;
use crate::domain::{Column, Contract, Rule, SiteKey, SqlType};

/// De-identifies the batches of one query at one site.
pub struct Deidentifier {
    schema: SchemaRef,
    steps: Vec<Step>,
}

/// How one column that is written is made of the batch as it came.
struct Step {
    /// Place of the source column in the batch.
    source: usize,
    /// Place of the offsets of a `datetimeoffset`, where its civil date is wanted.
    offsets: Option<usize>,
    action: Action,
}

enum Action {
    Keep,
    Pseudonym(Box<Pseudonymiser>),
    Day,
    Month,
    Year,
    Age(NaiveDate),
    Postcode3,
}

impl Deidentifier {
    /// Prepares the rules of `contract` for batches of `input`, which is the contract's Arrow schema:
    /// columns of the same names, a `datetimeoffset` perhaps followed by `<name>_offset_minutes`.
    ///
    /// `window_end` is the day on which ages are taken: the first date after the window.
    ///
    /// # Errors
    /// When a rule does not apply to its column or a pseudonym has no key: nothing is left to fail later.
    pub fn new(
        contract: &Contract,
        input: &Schema,
        key: Option<&PseudonymKey>,
        site: &SiteKey,
        window_end: NaiveDate,
    ) -> Result<Self, PrivacyError> {
        let mut fields = Vec::new();
        let mut steps = Vec::new();
        for column in &contract.columns {
            let place = |name: &str| input.index_of(name).ok();
            let source = place(&column.name).ok_or_else(|| PrivacyError::ColumnMissing {
                column: column.name.clone(),
            })?;
            let offsets = place(&format!("{}_offset_minutes", column.name))
                .filter(|at| *at == source + 1 && column.offset);
            let Some(action) = action(column, key, site, window_end)? else {
                continue;
            };
            check_civil_date(column, &action, offsets)?;
            fields.push(field(column, input.field(source), &action));
            let keeps_offsets = matches!(action, Action::Keep);
            steps.push(Step {
                source,
                offsets,
                action,
            });
            if let Some(offsets) = offsets.filter(|_| keeps_offsets) {
                fields.push(input.field(offsets).clone());
                steps.push(Step {
                    source: offsets,
                    offsets: None,
                    action: Action::Keep,
                });
            }
        }
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            steps,
        })
    }

    /// The schema of what is written: dropped columns gone, types as the rules make them, and the rule
    /// among each field's metadata as `privacy`.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The batch as it may be written.
    ///
    /// # Panics
    /// When the batch is not of the schema that was prepared for.
    #[must_use]
    pub fn apply(&mut self, batch: &RecordBatch) -> RecordBatch {
        let columns = self
            .steps
            .iter_mut()
            .map(|step| step.apply(batch))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .expect("each step makes a column of its field's type and the batch's length")
    }
}

/// What the column's rule asks for; `None` drops the column.
fn action(
    column: &Column,
    key: Option<&PseudonymKey>,
    site: &SiteKey,
    window_end: NaiveDate,
) -> Result<Option<Action>, PrivacyError> {
    let Some(rule) = &column.rule else {
        return Ok(Some(Action::Keep));
    };
    let (applies, action) = match rule {
        Rule::Drop => return Ok(None),
        Rule::Keep => (true, Action::Keep),
        Rule::Pseudonym { kind } => {
            let applies = may_be_pseudonymised(column);
            (applies, pseudonymiser(column, kind, key, site)?)
        }
        Rule::Day => (column.sql_type.has_date(), Action::Day),
        Rule::Month => (column.sql_type.has_date(), Action::Month),
        Rule::Year => (column.sql_type.has_date(), Action::Year),
        Rule::Age => (column.sql_type.has_date(), Action::Age(window_end)),
        Rule::Postcode3 => (column.sql_type.is_text(), Action::Postcode3),
    };
    if applies {
        Ok(Some(action))
    } else {
        Err(PrivacyError::RuleDoesNotApply {
            column: column.name.clone(),
            sql_type: column.sql_type.to_string(),
            rule: rule.to_string(),
        })
    }
}

fn pseudonymiser(
    column: &Column,
    kind: &str,
    key: Option<&PseudonymKey>,
    site: &SiteKey,
) -> Result<Action, PrivacyError> {
    let column = || column.name.clone();
    if kind.chars().any(char::is_control) {
        return Err(PrivacyError::KindNotPlain { column: column() });
    }
    let key = key.ok_or_else(|| PrivacyError::KeyMissing { column: column() })?;
    Ok(Action::Pseudonym(Box::new(Pseudonymiser::new(
        key, kind, site,
    ))))
}

/// Whether values of the column name something, so that equal values are equal text.
fn may_be_pseudonymised(column: &Column) -> bool {
    let is_key = matches!(
        column.sql_type,
        SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Int
            | SqlType::BigInt
            | SqlType::Decimal { scale: 0, .. }
            | SqlType::UniqueIdentifier
    );
    is_key || column.sql_type.is_text()
}

/// An instant's civil date depends on where it was: without the offset the rule would cut at another day.
fn check_civil_date(
    column: &Column,
    action: &Action,
    offsets: Option<usize>,
) -> Result<(), PrivacyError> {
    let wants_date = matches!(
        action,
        Action::Day | Action::Month | Action::Year | Action::Age(_)
    );
    let is_instant = matches!(column.sql_type, SqlType::DateTimeOffset(_));
    if wants_date && is_instant && offsets.is_none() {
        return Err(PrivacyError::OffsetNeeded {
            column: column.name.clone(),
            rule: column
                .rule
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        });
    }
    Ok(())
}

/// The field that `action` makes of `input`.
fn field(column: &Column, input: &Field, action: &Action) -> Field {
    let data_type = match action {
        Action::Keep => input.data_type().clone(),
        Action::Pseudonym(_) | Action::Postcode3 => DataType::Utf8,
        Action::Day | Action::Month => DataType::Date32,
        Action::Year | Action::Age(_) => DataType::Int16,
    };
    let mut metadata = input.metadata().clone();
    if !matches!(action, Action::Keep) {
        // A pseudonym of a UUID is no UUID.
        metadata.remove("ARROW:extension:name");
    }
    if let Some(rule) = &column.rule {
        metadata.insert("privacy".to_owned(), rule.to_string());
    }
    let may_become_null = match action {
        Action::Age(_) => true,
        Action::Pseudonym(_) => column.sql_type.is_text(),
        _ => false,
    };
    let nullable = input.is_nullable() || may_become_null;
    Field::new(input.name(), data_type, nullable).with_metadata(metadata)
}

impl Step {
    fn apply(&mut self, batch: &RecordBatch) -> ArrayRef {
        let source = batch.column(self.source);
        let offsets = self
            .offsets
            .map(|at| batch.column(at).as_primitive::<Int16Type>());
        match &mut self.action {
            Action::Keep => source.clone(),
            Action::Pseudonym(pseudonymiser) => Arc::new(pseudonymiser.of_column(source)),
            Action::Day => Arc::new(days(source, offsets)),
            Action::Month => Arc::new(days(source, offsets).unary::<_, Date32Type>(month_of)),
            Action::Year => {
                let years: Int16Array = days(source, offsets).unary(year_of);
                Arc::new(years)
            }
            Action::Age(on) => {
                let ages: Int16Array = days(source, offsets).unary_opt(|birth| age_on(birth, *on));
                Arc::new(ages)
            }
            Action::Postcode3 => Arc::new(postcodes(source.as_string())),
        }
    }
}

fn postcodes(source: &StringArray) -> StringArray {
    let first_three = |postcode: &str| postcode.chars().take(3).collect::<String>();
    source
        .iter()
        .map(|postcode| postcode.map(first_three))
        .collect()
}
