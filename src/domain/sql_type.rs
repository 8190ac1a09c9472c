//! SQL Server types, as a query's contract names them.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text};

/// Declared length of a character or binary type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// At most this many (characters for n-types, bytes otherwise).
    Max(u32),
    /// `(max)`: up to 2 GB.
    Unbounded,
}

/// A SQL Server type, without nullability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the variants are the SQL Server types of the same names"
)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    /// `decimal(p,s)` or `numeric(p,s)`: 1 ≤ p ≤ 38, s ≤ p.
    Decimal {
        precision: u8,
        scale: u8,
    },
    Money,
    SmallMoney,
    Real,
    Float,
    Date,
    /// Digits of the second's fraction, 0 to 7.
    Time(u8),
    SmallDateTime,
    DateTime,
    /// Digits of the second's fraction, 0 to 7.
    DateTime2(u8),
    /// Digits of the second's fraction, 0 to 7.
    DateTimeOffset(u8),
    Char(Length),
    VarChar(Length),
    Text,
    NChar(Length),
    NVarChar(Length),
    NText,
    Xml,
    UniqueIdentifier,
    Binary(Length),
    VarBinary(Length),
    Image,
    RowVersion,
}

impl SqlType {
    /// Whether values are text: `char`, `varchar`, `text`, their n-forms, and `xml`.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Char(_)
                | Self::VarChar(_)
                | Self::Text
                | Self::NChar(_)
                | Self::NVarChar(_)
                | Self::NText
                | Self::Xml
        )
    }

    /// Whether values hold a date: `date`, the datetimes and `datetimeoffset`, not `time`.
    #[must_use]
    pub fn has_date(self) -> bool {
        matches!(
            self,
            Self::Date
                | Self::SmallDateTime
                | Self::DateTime
                | Self::DateTime2(_)
                | Self::DateTimeOffset(_)
        )
    }
}

impl FromStr for SqlType {
    type Err = ParseError;

    /// Case and blanks do not matter: `Decimal( 18, 2 )` is `decimal(18,2)`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text).ok_or_else(|| ParseError::new(text, "a SQL Server type", "varchar(40)"))
    }
}

fn parse(text: &str) -> Option<SqlType> {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let (name, arguments) = match compact.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')')?)),
        None => (compact.as_str(), None),
    };
    let sql_type = match (name, arguments) {
        ("bit", None) => SqlType::Bit,
        ("tinyint", None) => SqlType::TinyInt,
        ("smallint", None) => SqlType::SmallInt,
        ("int" | "integer", None) => SqlType::Int,
        ("bigint", None) => SqlType::BigInt,
        ("decimal" | "numeric", arguments) => decimal(arguments)?,
        ("money", None) => SqlType::Money,
        ("smallmoney", None) => SqlType::SmallMoney,
        ("real", None) => SqlType::Real,
        ("float", None) => SqlType::Float,
        ("float", Some(bits)) => match bits.parse::<u8>().ok()? {
            1..=24 => SqlType::Real,
            25..=53 => SqlType::Float,
            _ => return None,
        },
        ("date", None) => SqlType::Date,
        ("time", digits) => SqlType::Time(fraction(digits)?),
        ("smalldatetime", None) => SqlType::SmallDateTime,
        ("datetime", None) => SqlType::DateTime,
        ("datetime2", digits) => SqlType::DateTime2(fraction(digits)?),
        ("datetimeoffset", digits) => SqlType::DateTimeOffset(fraction(digits)?),
        ("char", length) => SqlType::Char(fixed(length, 8000)?),
        ("varchar", length) => SqlType::VarChar(variable(length, 8000)?),
        ("text", None) => SqlType::Text,
        ("nchar", length) => SqlType::NChar(fixed(length, 4000)?),
        ("nvarchar", length) => SqlType::NVarChar(variable(length, 4000)?),
        ("ntext", None) => SqlType::NText,
        ("xml", None) => SqlType::Xml,
        ("uniqueidentifier", None) => SqlType::UniqueIdentifier,
        ("binary", length) => SqlType::Binary(fixed(length, 8000)?),
        ("varbinary", length) => SqlType::VarBinary(variable(length, 8000)?),
        ("image", None) => SqlType::Image,
        ("rowversion" | "timestamp", None) => SqlType::RowVersion,
        _ => return None,
    };
    Some(sql_type)
}

fn decimal(arguments: Option<&str>) -> Option<SqlType> {
    let (precision, scale) = match arguments {
        None => (18, 0),
        Some(arguments) => match arguments.split_once(',') {
            Some((precision, scale)) => (precision.parse().ok()?, scale.parse().ok()?),
            None => (arguments.parse().ok()?, 0),
        },
    };
    ((1..=38).contains(&precision) && scale <= precision)
        .then_some(SqlType::Decimal { precision, scale })
}

fn fraction(digits: Option<&str>) -> Option<u8> {
    digits
        .map_or(Some(7), |digits| digits.parse().ok())
        .filter(|digits| *digits <= 7)
}

fn fixed(length: Option<&str>, largest: u32) -> Option<Length> {
    let length = length.map_or(Some(1), |length| length.parse().ok())?;
    (1..=largest)
        .contains(&length)
        .then_some(Length::Max(length))
}

fn variable(length: Option<&str>, largest: u32) -> Option<Length> {
    if length == Some("max") {
        Some(Length::Unbounded)
    } else {
        fixed(length, largest)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max(length) => write!(f, "{length}"),
            Self::Unbounded => f.write_str("max"),
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bit => f.write_str("bit"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Money => f.write_str("money"),
            Self::SmallMoney => f.write_str("smallmoney"),
            Self::Real => f.write_str("real"),
            Self::Float => f.write_str("float"),
            Self::Date => f.write_str("date"),
            Self::Time(digits) => write!(f, "time({digits})"),
            Self::SmallDateTime => f.write_str("smalldatetime"),
            Self::DateTime => f.write_str("datetime"),
            Self::DateTime2(digits) => write!(f, "datetime2({digits})"),
            Self::DateTimeOffset(digits) => write!(f, "datetimeoffset({digits})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::VarChar(length) => write!(f, "varchar({length})"),
            Self::Text => f.write_str("text"),
            Self::NChar(length) => write!(f, "nchar({length})"),
            Self::NVarChar(length) => write!(f, "nvarchar({length})"),
            Self::NText => f.write_str("ntext"),
            Self::Xml => f.write_str("xml"),
            Self::UniqueIdentifier => f.write_str("uniqueidentifier"),
            Self::Binary(length) => write!(f, "binary({length})"),
            Self::VarBinary(length) => write!(f, "varbinary({length})"),
            Self::Image => f.write_str("image"),
            Self::RowVersion => f.write_str("rowversion"),
        }
    }
}

serde_as_text!(SqlType);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_prints_in_one_spelling_that_parses_again() {
        let spellings = [
            ("INT", "int"),
            ("Decimal( 18, 2 )", "decimal(18,2)"),
            ("numeric", "decimal(18,0)"),
            ("datetime2", "datetime2(7)"),
            ("char", "char(1)"),
            ("nvarchar(MAX)", "nvarchar(max)"),
            ("float(24)", "real"),
            ("timestamp", "rowversion"),
        ];
        for (given, printed) in spellings {
            let sql_type: SqlType = given.parse().expect(given);
            assert_eq!(sql_type.to_string(), printed);
            assert_eq!(printed.parse(), Ok(sql_type));
        }
    }

    #[test]
    fn a_type_that_sql_server_does_not_have_is_refused() {
        for bad in [
            "string",
            "decimal(39,2)",
            "decimal(4,5)",
            "time(8)",
            "char(0)",
            "nchar(4001)",
            "int(4)",
            "char(max)",
            "varchar(4",
        ] {
            assert!(bad.parse::<SqlType>().is_err(), "{bad}");
        }
    }
}
