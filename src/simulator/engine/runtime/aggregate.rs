//! SUM over decimals, and variance; also as window functions.

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{Value as Stored, ValueRef};

use super::{decimal, decimal_value, to_sqlite};
use crate::SqlError;

pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_window_function("t_sum", 1, flags, DecimalSum)?;
    connection.create_window_function("t_variance", 1, flags, Variance { sample: true })?;
    connection.create_window_function(
        "t_variance_population",
        1,
        flags,
        Variance { sample: false },
    )
}

/// The sum of decimals of one scale, exact.
struct DecimalSum;

#[derive(Default)]
struct Sum {
    total: i128,
    rows: i64,
    overflowed: bool,
}

impl Sum {
    fn change(&mut self, context: &Context<'_>, sign: i128) -> rusqlite::Result<()> {
        let ValueRef::Blob(bytes) = context.get_raw(0) else {
            return Ok(());
        };
        let number = decimal::decode(bytes).ok_or_else(overflow)?;
        self.rows += if sign > 0 { 1 } else { -1 };
        match self.total.checked_add(sign * number) {
            Some(total) => self.total = total,
            None => self.overflowed = true,
        }
        Ok(())
    }

    fn answer(&self) -> rusqlite::Result<Stored> {
        match self.rows {
            0 => Ok(Stored::Null),
            _ if self.overflowed || !decimal::fits(self.total, 38) => Err(overflow()),
            _ => Ok(decimal_value(self.total)),
        }
    }
}

fn overflow() -> rusqlite::Error {
    to_sqlite(&SqlError::overflow("numeric"))
}

impl Aggregate<Sum, Stored> for DecimalSum {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Sum> {
        Ok(Sum::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Sum) -> rusqlite::Result<()> {
        sum.change(context, 1)
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Sum>) -> rusqlite::Result<Stored> {
        sum.unwrap_or_default().answer()
    }
}

impl WindowAggregate<Sum, Stored> for DecimalSum {
    fn value(&self, sum: Option<&mut Sum>) -> rusqlite::Result<Stored> {
        sum.map_or(Ok(Stored::Null), |sum| sum.answer())
    }

    fn inverse(&self, context: &mut Context<'_>, sum: &mut Sum) -> rusqlite::Result<()> {
        sum.change(context, -1)
    }
}

/// VAR and VARP by Welford's method, which keeps its digits.
struct Variance {
    sample: bool,
}

#[derive(Default)]
struct Moments {
    rows: f64,
    mean: f64,
    squares: f64,
}

impl Aggregate<Moments, Stored> for Variance {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Moments> {
        Ok(Moments::default())
    }

    fn step(&self, context: &mut Context<'_>, moments: &mut Moments) -> rusqlite::Result<()> {
        if let ValueRef::Real(number) = context.get_raw(0) {
            moments.rows += 1.0;
            let delta = number - moments.mean;
            moments.mean += delta / moments.rows;
            moments.squares += delta * (number - moments.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, moments: Option<Moments>) -> rusqlite::Result<Stored> {
        Ok(self.answer(&moments.unwrap_or_default()))
    }
}

impl Variance {
    fn answer(&self, moments: &Moments) -> Stored {
        let divisor = if self.sample {
            moments.rows - 1.0
        } else {
            moments.rows
        };
        if divisor < 1.0 {
            Stored::Null
        } else {
            Stored::Real(moments.squares / divisor)
        }
    }
}

impl WindowAggregate<Moments, Stored> for Variance {
    fn value(&self, moments: Option<&mut Moments>) -> rusqlite::Result<Stored> {
        Ok(moments.map_or(Stored::Null, |moments| self.answer(moments)))
    }

    fn inverse(&self, context: &mut Context<'_>, moments: &mut Moments) -> rusqlite::Result<()> {
        if let ValueRef::Real(number) = context.get_raw(0) {
            let delta = number - moments.mean;
            moments.rows -= 1.0;
            moments.mean = if moments.rows > 0.0 {
                moments.mean - delta / moments.rows
            } else {
                0.0
            };
            moments.squares -= delta * (number - moments.mean);
        }
        Ok(())
    }
}
