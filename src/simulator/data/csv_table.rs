//! A CSV file as a table: its columns, inferred from its values, and its rows.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::csv_rows::{BadCsv, Record, Records};
use super::folder::LoadError;
use super::strict;
use crate::simulator::engine::{ColumnDefinition, SqlType, Value};

type Reader = Records<Box<dyn BufRead>>;

/// An open CSV file, past its header.
pub(super) struct CsvTable {
    records: Reader,
    header: Vec<String>,
}

impl CsvTable {
    /// Opens a file, unpacking it if its name ends in `.gz`, and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let file = File::open(path).map_err(|error| LoadError::unreadable(path, &error))?;
        let reader: Box<dyn BufRead> =
            if path.extension().is_some_and(|extension| extension == "gz") {
                Box::new(BufReader::new(MultiGzDecoder::new(file)))
            } else {
                Box::new(BufReader::with_capacity(1 << 16, file))
            };
        let mut records = Records::new(reader);
        let first = records.next().ok_or_else(|| {
            LoadError::new(path, "has no header line; write the column names on line 1")
        })?;
        let first = first.map_err(|bad| bad_csv(path, &bad))?;
        let header: Option<Vec<String>> = first.fields.into_iter().collect();
        let header = header.ok_or_else(|| {
            LoadError::new(path, "line 1: a column has no name; name every column")
        })?;
        Ok(Self { records, header })
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads all rows and says what types hold them.
    pub(super) fn infer(self, path: &Path) -> Result<Vec<ColumnDefinition>, LoadError> {
        let mut guesses = vec![Guess::default(); self.header.len()];
        for record in self.records {
            let record = record.map_err(|bad| bad_csv(path, &bad))?;
            check_width(path, &record, self.header.len())?;
            for (guess, field) in guesses.iter_mut().zip(&record.fields) {
                guess.see(field.as_deref());
            }
        }
        let columns = self
            .header
            .into_iter()
            .zip(guesses)
            .map(|(name, guess)| ColumnDefinition {
                name,
                sql_type: guess.sql_type(),
                nullable: guess.nullable,
            });
        Ok(columns.collect())
    }

    /// The rows as values of the columns, in the columns' order.
    ///
    /// `order` says for each column which field of the record is its own.
    pub(super) fn rows<'p>(
        self,
        path: &'p Path,
        columns: &'p [ColumnDefinition],
        order: Vec<usize>,
    ) -> impl Iterator<Item = Result<Vec<Value>, LoadError>> + 'p {
        let width = self.header.len();
        self.records.map(move |record| {
            let mut record = record.map_err(|bad| bad_csv(path, &bad))?;
            check_width(path, &record, width)?;
            let mut row = Vec::with_capacity(columns.len());
            for (column, at) in columns.iter().zip(&order) {
                row.push(match record.fields[*at].take() {
                    None => Value::Null,
                    Some(text) => strict::field(text, column.sql_type)
                        .ok_or_else(|| LoadError::misfit(path, "line", record.line, column))?,
                });
            }
            Ok(row)
        })
    }
}

fn check_width(path: &Path, record: &Record, width: usize) -> Result<(), LoadError> {
    if record.fields.len() == width {
        return Ok(());
    }
    Err(LoadError::new(
        path,
        &format!(
            "line {}: {} fields where the header names {width} columns; quote fields that hold a comma",
            record.line,
            record.fields.len()
        ),
    ))
}

fn bad_csv(path: &Path, bad: &BadCsv) -> LoadError {
    match bad {
        BadCsv::Read(error) => LoadError::unreadable(path, error),
        BadCsv::NotUtf8 { line } => LoadError::new(
            path,
            &format!("line {line}: not UTF-8; save the file as UTF-8"),
        ),
        BadCsv::OpenQuote { line } => LoadError::new(
            path,
            &format!("line {line}: a quote is never closed; double a quote inside a field"),
        ),
        BadCsv::TextAfterQuote { line } => LoadError::new(
            path,
            &format!("line {line}: text follows a closing quote; double a quote inside a field"),
        ),
    }
}

/// What a column's values so far allow it to be.
#[derive(Clone)]
struct Guess {
    nullable: bool,
    seen: bool,
    whole: bool,
    big: bool,
    exact: bool,
    digits: usize,
    scale: usize,
    date: bool,
    moment: bool,
    fraction: bool,
    length: usize,
    ascii: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            nullable: false,
            seen: false,
            whole: true,
            big: false,
            exact: true,
            digits: 0,
            scale: 0,
            date: true,
            moment: true,
            fraction: false,
            length: 0,
            ascii: true,
        }
    }
}

impl Guess {
    fn see(&mut self, field: Option<&str>) {
        let Some(text) = field else {
            self.nullable = true;
            return;
        };
        self.seen = true;
        self.length = self.length.max(text.chars().count());
        self.ascii &= text.is_ascii();
        self.see_number(text);
        let date = text.get(..10).is_some_and(is_date);
        self.date &= date && text.len() == 10;
        let clock = text.get(10..).unwrap_or_default();
        self.moment &= date && (clock.is_empty() || is_clock(clock));
        self.fraction |= clock.contains('.');
    }

    /// Leading zeros make a number a code.
    fn see_number(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = !whole.is_empty()
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit());
        let coded = whole.len() > 1 && whole.starts_with('0');
        let pointless = digits.ends_with('.');
        self.exact &= plain && !coded && !pointless;
        self.whole &= self.exact && fraction.is_empty();
        self.big |= self.whole && text.parse::<i32>().is_err();
        self.whole &= text.parse::<i64>().is_ok() || !self.exact;
        self.digits = self.digits.max(whole.len());
        self.scale = self.scale.max(fraction.len());
    }

    fn sql_type(&self) -> SqlType {
        let precision = u8::try_from(self.digits + self.scale)
            .ok()
            .filter(|precision| *precision <= 38);
        match (self.seen, precision) {
            (true, _) if self.whole => {
                if self.big {
                    SqlType::BigInt
                } else {
                    SqlType::Int
                }
            }
            (true, Some(precision)) if self.exact => SqlType::Decimal(
                precision,
                u8::try_from(self.scale).expect("part of the precision"),
            ),
            (true, _) if self.date => SqlType::Date,
            (true, _) if self.moment && self.fraction => SqlType::DateTime2(7),
            (true, _) if self.moment => SqlType::DateTime,
            _ => self.text_type(),
        }
    }

    fn text_type(&self) -> SqlType {
        let length = u16::try_from(self.length.max(1)).ok();
        if self.ascii {
            SqlType::VarChar(length.filter(|length| *length <= 8000))
        } else {
            SqlType::NVarChar(length.filter(|length| *length <= 4000))
        }
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<chrono::NaiveDate>().is_ok() && text.as_bytes()[4] == b'-'
}

fn is_clock(text: &str) -> bool {
    let Some(clock) = text.strip_prefix(['T', ' ']) else {
        return false;
    };
    let fraction = clock
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    fraction <= 7
        && (chrono::NaiveTime::parse_from_str(clock, "%H:%M:%S%.f").is_ok()
            || chrono::NaiveTime::parse_from_str(clock, "%H:%M").is_ok())
}
