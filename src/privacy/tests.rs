//! The rules over small batches. Pseudonyms were computed apart, with Python's `hmac` and `hashlib`:
//! `hmac.new(key, f"{kind}\x1f{site}\x1f{value}".encode(), "sha256").hexdigest()[:32]`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, FixedSizeBinaryArray, Int16Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Field, Int16Type, Schema};
use chrono::NaiveDate;

use super::{Deidentifier, PrivacyError, PseudonymKey};
use crate::domain::{Class, Column, Contract, Rule, SiteKey};

fn column(name: &str, sql_type: &str, rule: Option<Rule>) -> Column {
    Column {
        name: name.to_owned(),
        sql_type: sql_type.parse().expect(sql_type),
        nullable: true,
        class: Class::Quasi,
        rule,
        trim: false,
        offset: sql_type.starts_with("datetimeoffset"),
        description: None,
    }
}

fn pseudonym(kind: &str) -> Option<Rule> {
    Some(Rule::Pseudonym {
        kind: kind.to_owned(),
    })
}

fn key() -> PseudonymKey {
    let bytes: Vec<u8> = (0..32).collect();
    PseudonymKey::from_bytes(&bytes).expect("32 bytes")
}

fn site() -> SiteKey {
    "s40123".parse().expect("a site key")
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect(text)
}

fn days(text: &str) -> i32 {
    (date(text) - NaiveDate::default()).num_days() as i32
}

fn micros(text: &str) -> i64 {
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").expect(text);
    time.and_utc().timestamp_micros()
}

/// Columns with their contract; an offset column follows its instant.
struct Input {
    columns: Vec<Column>,
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Input {
    fn new() -> Self {
        Self {
            columns: Vec::new(),
            fields: Vec::new(),
            arrays: Vec::new(),
        }
    }

    fn with(mut self, column: Column, array: impl Array + 'static) -> Self {
        let field = Field::new(&column.name, array.data_type().clone(), column.nullable);
        self.fields.push(field);
        self.arrays.push(Arc::new(array));
        self.columns.push(column);
        self
    }

    fn with_offsets(mut self, offsets: Int16Array) -> Self {
        let name = format!(
            "{}_offset_minutes",
            self.columns.last().expect("an instant").name
        );
        self.fields.push(Field::new(name, DataType::Int16, true));
        self.arrays.push(Arc::new(offsets));
        self
    }

    fn deidentifier(&self, key: Option<&PseudonymKey>) -> Result<Deidentifier, PrivacyError> {
        let contract = Contract {
            columns: self.columns.clone(),
        };
        let schema = Schema::new(self.fields.clone());
        Deidentifier::new(&contract, &schema, key, &site(), date("2026-11-19"))
    }

    fn apply(self) -> RecordBatch {
        let mut deidentifier = self.deidentifier(Some(&key())).expect("rules that apply");
        let output = deidentifier.apply(&self.batch());
        assert_eq!(output.schema(), deidentifier.schema());
        output
    }

    fn batch(self) -> RecordBatch {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays).expect("a batch")
    }
}

fn texts(batch: &RecordBatch, column: usize) -> Vec<Option<&str>> {
    batch.column(column).as_string::<i32>().iter().collect()
}

#[test]
fn a_number_its_text_and_its_padded_text_have_the_pseudonym_that_python_computes() {
    let batch = Input::new()
        .with(
            column("a", "int", pseudonym("patient")),
            Int32Array::from(vec![Some(17), None, Some(-1), Some(17)]),
        )
        .with(
            column("b", "char(5)", pseudonym("patient")),
            StringArray::from(vec![Some("17"), Some("17   "), None, Some("  ")]),
        )
        .with(
            column("c", "bigint", pseudonym("provider")),
            Int64Array::from(vec![17, 17, 17, 17]),
        )
        .apply();

    let seventeen = Some("86dd04b635fae01ca80d3a746622db59");
    let minus_one = Some("bc670c6e65997077824bd2d165fbf645");
    let of_provider = Some("a5a70f8c5074435f0858c87a7ae9a5bb");
    assert_eq!(texts(&batch, 0), [seventeen, None, minus_one, seventeen]);
    assert_eq!(texts(&batch, 1), [seventeen, seventeen, None, None]);
    assert_eq!(texts(&batch, 2), [of_provider; 4]);
}

#[test]
fn a_uuid_and_a_long_text_have_the_pseudonyms_that_python_computes() {
    let uuid = uuid::Uuid::try_parse("5F0C2A52-7A4E-4A0B-8D53-9B1F6D2C7E10").expect("a UUID");
    let uuids =
        FixedSizeBinaryArray::try_from_iter([uuid.as_bytes()].into_iter()).expect("16 bytes");
    let long = "2950 12345 1 \u{e9}, a name longer than is remembered";
    let batch = Input::new()
        .with(column("u", "uniqueidentifier", pseudonym("patient")), uuids)
        .with(
            column("t", "varchar(60)", pseudonym("medicare")),
            StringArray::from(vec![long]),
        )
        .apply();

    assert_eq!(texts(&batch, 0), [Some("0c2fe2f6cd5f6235ec690ee72ac0073f")]);
    assert_eq!(texts(&batch, 1), [Some("0aa218ad92b19cd580e10063c43a8ae5")]);
}

#[test]
fn another_site_gives_the_same_value_another_pseudonym() {
    let contract = Contract {
        columns: vec![column("a", "int", pseudonym("patient"))],
    };
    let schema = Schema::new(vec![Field::new("a", DataType::Int32, true)]);
    let site = "s40124".parse().expect("a site key");
    let key = key();
    let mut deidentifier =
        Deidentifier::new(&contract, &schema, Some(&key), &site, date("2026-11-19"))
            .expect("a rule that applies");
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int32Array::from(vec![17]))]);

    let output = deidentifier.apply(&batch.expect("a batch"));

    assert_eq!(
        texts(&output, 0),
        [Some("aa767cca299b838a778b97947fae6862")]
    );
}

#[test]
fn remembered_pseudonyms_are_those_of_a_fresh_start() {
    let input = |numbers: Vec<i32>| {
        Input::new().with(
            column("a", "int", pseudonym("patient")),
            Int32Array::from(numbers),
        )
    };
    let mut deidentifier = input(Vec::new())
        .deidentifier(Some(&key()))
        .expect("a rule that applies");
    let mut seen = std::collections::HashMap::new();
    for start in [0, 50, 1_000, 30_000, 70_000] {
        let numbers: Vec<i32> = (start..start * 2 + 100)
            .map(|i| (i * 7919) % 60_000)
            .collect();
        let output = deidentifier.apply(&input(numbers.clone()).batch());
        for (number, pseudonym) in numbers.into_iter().zip(texts(&output, 0)) {
            let pseudonym = pseudonym.expect("no null").to_owned();
            assert_eq!(
                seen.entry(number).or_insert_with(|| pseudonym.clone()),
                &pseudonym
            );
        }
    }

    let distinct: std::collections::HashSet<&String> = seen.values().collect();
    assert_eq!(distinct.len(), seen.len());
    for (number, pseudonym) in seen.iter().filter(|(number, _)| *number % 97 == 0) {
        let alone = input(vec![*number]).apply();
        assert_eq!(texts(&alone, 0), [Some(pseudonym.as_str())]);
    }
}

#[test]
fn dates_are_cut_to_day_month_and_year_on_the_practices_calendar() {
    let moments = || {
        TimestampMicrosecondArray::from(vec![
            Some(micros("2024-02-29 23:59:59.999999")),
            Some(micros("1969-12-31 00:00:00.000001")),
            None,
            Some(micros("0001-01-01 00:00:00")),
        ])
    };
    let batch = Input::new()
        .with(column("d", "datetime", Some(Rule::Day)), moments())
        .with(column("m", "datetime2(7)", Some(Rule::Month)), moments())
        .with(column("y", "smalldatetime", Some(Rule::Year)), moments())
        .apply();

    let dates = |column: usize| {
        batch
            .column(column)
            .as_primitive::<Date32Type>()
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        dates(0),
        [
            Some(days("2024-02-29")),
            Some(days("1969-12-31")),
            None,
            Some(days("0001-01-01"))
        ]
    );
    assert_eq!(
        dates(1),
        [
            Some(days("2024-02-01")),
            Some(days("1969-12-01")),
            None,
            Some(days("0001-01-01"))
        ]
    );
    let years: Vec<_> = batch.column(2).as_primitive::<Int16Type>().iter().collect();
    assert_eq!(years, [Some(2024), Some(1969), None, Some(1)]);
}

#[test]
fn an_instant_is_cut_at_the_midnight_of_its_own_offset() {
    let instants = TimestampMicrosecondArray::from(vec![
        micros("2026-11-17 14:30:00"),
        micros("2026-11-18 02:00:00"),
    ])
    .with_timezone("UTC");
    let batch = Input::new()
        .with(column("at", "datetimeoffset(7)", Some(Rule::Day)), instants)
        .with_offsets(Int16Array::from(vec![600, -300]))
        .apply();

    assert_eq!(
        batch.num_columns(),
        1,
        "the offset goes with the time of day"
    );
    let dates: Vec<_> = batch
        .column(0)
        .as_primitive::<Date32Type>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(dates, [days("2026-11-18"), days("2026-11-17")]);
}

#[test]
fn age_is_whole_years_at_the_windows_end_and_ninety_at_most() {
    let births = [
        ("2026-11-19", Some(0)),
        ("2026-11-20", None),
        ("2008-11-19", Some(18)),
        ("2008-11-20", Some(17)),
        ("2004-02-29", Some(22)),
        ("1937-11-19", Some(89)),
        ("1936-11-19", Some(90)),
        ("1900-01-01", Some(90)),
    ];
    let dates: Vec<i32> = births.iter().map(|(birth, _)| days(birth)).collect();
    let batch = Input::new()
        .with(
            column("age", "date", Some(Rule::Age)),
            Date32Array::from(dates),
        )
        .apply();

    let ages: Vec<_> = batch.column(0).as_primitive::<Int16Type>().iter().collect();
    assert_eq!(ages, births.map(|(_, age)| age));
}

#[test]
fn dropped_columns_are_gone_and_kept_ones_untouched() {
    let batch = Input::new()
        .with(
            column("name", "varchar(40)", Some(Rule::Drop)),
            StringArray::from(vec!["Ada"]),
        )
        .with(column("code", "int", None), Int32Array::from(vec![7]))
        .with(
            column("note", "varchar(40)", Some(Rule::Keep)),
            StringArray::from(vec!["fine"]),
        )
        .with(
            column("postcode", "char(4)", Some(Rule::Postcode3)),
            StringArray::from(vec!["3056"]),
        )
        .apply();

    let schema = batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, ["code", "note", "postcode"]);
    assert_eq!(texts(&batch, 1), [Some("fine")]);
    assert_eq!(texts(&batch, 2), [Some("305")]);
    assert_eq!(schema.field(2).metadata()["privacy"], "postcode3");
}

#[test]
fn a_query_whose_columns_are_all_dropped_still_has_its_rows() {
    let batch = Input::new()
        .with(
            column("name", "varchar(40)", Some(Rule::Drop)),
            StringArray::from(vec!["Ada", "Bea"]),
        )
        .apply();
    assert_eq!((batch.num_columns(), batch.num_rows()), (0, 2));
}

#[test]
fn a_rule_that_does_not_apply_is_refused_before_any_row() {
    let wrong = [
        ("int", Rule::Day),
        ("time(0)", Rule::Month),
        ("varchar(10)", Rule::Age),
        ("int", Rule::Postcode3),
        (
            "float",
            Rule::Pseudonym {
                kind: "patient".to_owned(),
            },
        ),
        (
            "decimal(9,2)",
            Rule::Pseudonym {
                kind: "patient".to_owned(),
            },
        ),
    ];
    for (sql_type, rule) in wrong {
        let input = Input::new().with(column("v", sql_type, Some(rule)), Int32Array::from(vec![1]));
        let refused = input.deidentifier(Some(&key()));
        assert!(
            matches!(refused, Err(PrivacyError::RuleDoesNotApply { .. })),
            "{sql_type}"
        );
    }
}

#[test]
fn an_instant_without_its_offset_has_no_civil_date() {
    let instants = TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC");
    let input = Input::new().with(column("at", "datetimeoffset(7)", Some(Rule::Day)), instants);
    assert!(matches!(
        input.deidentifier(None),
        Err(PrivacyError::OffsetNeeded { .. })
    ));
}

#[test]
fn a_pseudonym_needs_a_key_and_a_plain_kind() {
    let input = |kind| {
        Input::new().with(
            column("v", "int", pseudonym(kind)),
            Int32Array::from(vec![1]),
        )
    };
    assert!(matches!(
        input("patient").deidentifier(None),
        Err(PrivacyError::KeyMissing { .. })
    ));
    assert!(matches!(
        input("a\u{1f}b").deidentifier(Some(&key())),
        Err(PrivacyError::KindNotPlain { .. })
    ));
}

#[test]
fn a_key_has_at_least_32_bytes_an_id_that_python_computes_and_no_debug_output() {
    assert_eq!(key().id(), "4c6893b9");
    let text = "0123456789abcdef0123456789abcdef";
    let from_file = PseudonymKey::from_text(&format!("{text}\n")).expect("32 bytes");
    assert_eq!(from_file.id(), "fa2d6824");
    let short = PseudonymKey::from_text(&text[1..]).map(|key| key.id().to_owned());
    assert_eq!(short, Err(PrivacyError::KeyTooShort { bytes: 31 }));
    assert_eq!(
        format!("{from_file:?}"),
        "PseudonymKey { id: \"fa2d6824\", .. }"
    );
}
