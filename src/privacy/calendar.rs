//! Coarser dates: the civil day of a value, its month, its year, and the age on another day.
//!
//! Days are counted from 1970-01-01, as Arrow counts them.

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int16Array, PrimitiveArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::{Datelike, NaiveDate, TimeDelta};

/// Ages from here on are one class: so few people are older that the age would point at them.
const OLDEST_AGE: i32 = 90;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The civil days of a column of dates or times; `offsets`, in minutes, lead from UTC to the local clock.
pub(super) fn days(source: &ArrayRef, offsets: Option<&Int16Array>) -> Date32Array {
    if source.data_type() == &DataType::Date32 {
        return source.as_primitive::<Date32Type>().clone();
    }
    let micros = source.as_primitive::<TimestampMicrosecondType>();
    match offsets {
        None => micros.unary(day_of),
        Some(offsets) => {
            let days = micros.values().iter().zip(offsets.values());
            let days =
                days.map(|(micros, minutes)| day_of(micros + i64::from(*minutes) * 60_000_000));
            PrimitiveArray::new(days.collect(), micros.nulls().cloned())
        }
    }
}

/// The civil day in which a local time lies, given in microseconds since 1970-01-01 00:00.
fn day_of(micros: i64) -> i32 {
    // Ten thousand years of days fit an i32 many times.
    micros.div_euclid(MICROS_PER_DAY) as i32
}

/// The first day of the month of `day`.
pub(super) fn month_of(day: i32) -> i32 {
    day - (civil(day).day() as i32 - 1)
}

/// The year of `day`.
pub(super) fn year_of(day: i32) -> i16 {
    civil(day).year() as i16
}

/// Whole years from `birth` to `on`, at most 90; `None` if `birth` lies after it.
pub(super) fn age_on(birth: i32, on: NaiveDate) -> Option<i16> {
    let birth = civil(birth);
    let had_birthday = (on.month(), on.day()) >= (birth.month(), birth.day());
    let years = on.year() - birth.year() - i32::from(!had_birthday);
    (birth <= on).then(|| years.min(OLDEST_AGE) as i16)
}

fn civil(day: i32) -> NaiveDate {
    NaiveDate::default()
        .checked_add_signed(TimeDelta::days(day.into()))
        .expect("SQL Server's years have four digits")
}
