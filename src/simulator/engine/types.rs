//! SQL Server's types as the simulator knows them: names, lengths, and which type wins where two meet.
//!
//! The simulator keeps its own catalogue of types; the client has another. They share nothing, so that a
//! misunderstanding in one shows against the other. Source: "Data types (Transact-SQL)" and "Precision,
//! scale, and length" of the SQL Server documentation.

use std::fmt;
use std::str::FromStr;

/// A SQL Server type. Lengths are as declared: characters for text, bytes for binary; `None` is `max`.
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
    /// Precision 1 to 38, scale at most the precision.
    Decimal(u8, u8),
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
    Char(u16),
    VarChar(Option<u16>),
    Text,
    NChar(u16),
    NVarChar(Option<u16>),
    NText,
    Xml,
    UniqueIdentifier,
    Binary(u16),
    VarBinary(Option<u16>),
    Image,
    RowVersion,
}

/// A text that names no SQL Server type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Cannot find data type {0}.")]
pub struct UnknownType(pub String);

impl FromStr for SqlType {
    type Err = UnknownType;

    /// Case, blanks and brackets do not matter: `[Decimal]( 18, 2 )` is `decimal(18,2)`.
    fn from_str(text: &str) -> Result<Self, UnknownType> {
        parse(text).ok_or_else(|| UnknownType(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<SqlType> {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '[' | ']'))
        .collect::<String>()
        .to_ascii_lowercase();
    let compact = compact.strip_prefix("sys.").unwrap_or(&compact);
    let (name, arguments) = match compact.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')')?)),
        None => (compact, None),
    };
    match arguments {
        None => unsized_type(name).or_else(|| sized_type(name, None)),
        Some(arguments) => sized_type(name, Some(arguments)),
    }
}

fn unsized_type(name: &str) -> Option<SqlType> {
    Some(match name {
        "bit" => SqlType::Bit,
        "tinyint" => SqlType::TinyInt,
        "smallint" => SqlType::SmallInt,
        "int" | "integer" => SqlType::Int,
        "bigint" => SqlType::BigInt,
        "money" => SqlType::Money,
        "smallmoney" => SqlType::SmallMoney,
        "real" => SqlType::Real,
        "float" | "doubleprecision" => SqlType::Float,
        "date" => SqlType::Date,
        "smalldatetime" => SqlType::SmallDateTime,
        "datetime" => SqlType::DateTime,
        "text" => SqlType::Text,
        "ntext" => SqlType::NText,
        "xml" => SqlType::Xml,
        "uniqueidentifier" => SqlType::UniqueIdentifier,
        "image" => SqlType::Image,
        "rowversion" | "timestamp" => SqlType::RowVersion,
        "sysname" => SqlType::NVarChar(Some(128)),
        _ => return None,
    })
}

fn sized_type(name: &str, arguments: Option<&str>) -> Option<SqlType> {
    Some(match name {
        "decimal" | "numeric" | "dec" => decimal(arguments)?,
        "float" => match arguments?.parse::<u8>().ok()? {
            1..=24 => SqlType::Real,
            25..=53 => SqlType::Float,
            _ => return None,
        },
        "time" => SqlType::Time(fraction(arguments)?),
        "datetime2" => SqlType::DateTime2(fraction(arguments)?),
        "datetimeoffset" => SqlType::DateTimeOffset(fraction(arguments)?),
        "char" | "character" => SqlType::Char(fixed(arguments, 8000)?),
        "nchar" => SqlType::NChar(fixed(arguments, 4000)?),
        "varchar" | "charactervarying" => SqlType::VarChar(variable(arguments, 8000)?),
        "nvarchar" => SqlType::NVarChar(variable(arguments, 4000)?),
        "binary" => SqlType::Binary(fixed(arguments, 8000)?),
        "varbinary" => SqlType::VarBinary(variable(arguments, 8000)?),
        _ => return None,
    })
}

fn decimal(arguments: Option<&str>) -> Option<SqlType> {
    let Some(arguments) = arguments else {
        return Some(SqlType::Decimal(18, 0));
    };
    let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    ((1..=38).contains(&precision) && scale <= precision)
        .then_some(SqlType::Decimal(precision, scale))
}

fn fraction(arguments: Option<&str>) -> Option<u8> {
    let digits = arguments.map_or(Some(7), |text| text.parse().ok())?;
    (digits <= 7).then_some(digits)
}

fn fixed(arguments: Option<&str>, limit: u16) -> Option<u16> {
    let length = arguments.map_or(Some(1), |text| text.parse().ok())?;
    (1..=limit).contains(&length).then_some(length)
}

fn variable(arguments: Option<&str>, limit: u16) -> Option<Option<u16>> {
    match arguments {
        Some("max") => Some(None),
        other => fixed(other, limit).map(Some),
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Decimal(precision, scale) => write!(f, "{name}({precision},{scale})"),
            Self::Time(digits) | Self::DateTime2(digits) | Self::DateTimeOffset(digits) => {
                write!(f, "{name}({digits})")
            }
            Self::Char(length) | Self::NChar(length) | Self::Binary(length) => {
                write!(f, "{name}({length})")
            }
            Self::VarChar(length) | Self::NVarChar(length) | Self::VarBinary(length) => {
                match length {
                    Some(length) => write!(f, "{name}({length})"),
                    None => write!(f, "{name}(max)"),
                }
            }
            _ => f.write_str(name),
        }
    }
}

/// Stands for `max` in a type's code; no declared length is that long.
const UNBOUNDED: u16 = u16::MAX;

impl SqlType {
    /// The name without length, as SQL Server's catalogue views spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bit => "bit",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Decimal(..) => "decimal",
            Self::Money => "money",
            Self::SmallMoney => "smallmoney",
            Self::Real => "real",
            Self::Float => "float",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::SmallDateTime => "smalldatetime",
            Self::DateTime => "datetime",
            Self::DateTime2(_) => "datetime2",
            Self::DateTimeOffset(_) => "datetimeoffset",
            Self::Char(_) => "char",
            Self::VarChar(_) => "varchar",
            Self::Text => "text",
            Self::NChar(_) => "nchar",
            Self::NVarChar(_) => "nvarchar",
            Self::NText => "ntext",
            Self::Xml => "xml",
            Self::UniqueIdentifier => "uniqueidentifier",
            Self::Binary(_) => "binary",
            Self::VarBinary(_) => "varbinary",
            Self::Image => "image",
            Self::RowVersion => "timestamp",
        }
    }

    /// A number that stands for the type in translated statements, where it is read once for every value.
    pub(crate) fn code(self) -> i64 {
        let (kind, size) = match self {
            Self::Bit => (0, 0),
            Self::TinyInt => (1, 0),
            Self::SmallInt => (2, 0),
            Self::Int => (3, 0),
            Self::BigInt => (4, 0),
            Self::Decimal(precision, scale) => (5, u16::from_be_bytes([precision, scale])),
            Self::Money => (6, 0),
            Self::SmallMoney => (7, 0),
            Self::Real => (8, 0),
            Self::Float => (9, 0),
            Self::Date => (10, 0),
            Self::Time(digits) => (11, u16::from(digits)),
            Self::SmallDateTime => (12, 0),
            Self::DateTime => (13, 0),
            Self::DateTime2(digits) => (14, u16::from(digits)),
            Self::DateTimeOffset(digits) => (15, u16::from(digits)),
            Self::Char(length) => (16, length),
            Self::VarChar(length) => (17, length.unwrap_or(UNBOUNDED)),
            Self::Text => (18, 0),
            Self::NChar(length) => (19, length),
            Self::NVarChar(length) => (20, length.unwrap_or(UNBOUNDED)),
            Self::NText => (21, 0),
            Self::Xml => (22, 0),
            Self::UniqueIdentifier => (23, 0),
            Self::Binary(length) => (24, length),
            Self::VarBinary(length) => (25, length.unwrap_or(UNBOUNDED)),
            Self::Image => (26, 0),
            Self::RowVersion => (27, 0),
        };
        kind << 16 | i64::from(size)
    }

    /// The type that a code stands for; `None` for a number that is no code.
    pub(crate) fn from_code(code: i64) -> Option<Self> {
        let size = u16::try_from(code & 0xFFFF).expect("sixteen bits");
        let [precision, scale] = size.to_be_bytes();
        let bounded = (size != UNBOUNDED).then_some(size);
        Some(match code >> 16 {
            0 => Self::Bit,
            1 => Self::TinyInt,
            2 => Self::SmallInt,
            3 => Self::Int,
            4 => Self::BigInt,
            5 => Self::Decimal(precision, scale),
            6 => Self::Money,
            7 => Self::SmallMoney,
            8 => Self::Real,
            9 => Self::Float,
            10 => Self::Date,
            11 => Self::Time(scale),
            12 => Self::SmallDateTime,
            13 => Self::DateTime,
            14 => Self::DateTime2(scale),
            15 => Self::DateTimeOffset(scale),
            16 => Self::Char(size),
            17 => Self::VarChar(bounded),
            18 => Self::Text,
            19 => Self::NChar(size),
            20 => Self::NVarChar(bounded),
            21 => Self::NText,
            22 => Self::Xml,
            23 => Self::UniqueIdentifier,
            24 => Self::Binary(size),
            25 => Self::VarBinary(bounded),
            26 => Self::Image,
            27 => Self::RowVersion,
            _ => return None,
        })
    }

    /// Whether values are text of any kind.
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

    /// Whether text holds characters beyond the code page: `nchar`, `nvarchar`, `ntext`, `xml`.
    pub(crate) fn is_national(self) -> bool {
        matches!(
            self,
            Self::NChar(_) | Self::NVarChar(_) | Self::NText | Self::Xml
        )
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Bit | Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt
        )
    }

    /// Exact numbers with a scale: `decimal`, `money`, `smallmoney`.
    pub(crate) fn is_decimal(self) -> bool {
        matches!(self, Self::Decimal(..) | Self::Money | Self::SmallMoney)
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Real | Self::Float)
    }

    pub(crate) fn is_number(self) -> bool {
        self.is_integer() || self.is_decimal() || self.is_float()
    }

    pub(crate) fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Binary(_) | Self::VarBinary(_) | Self::Image | Self::RowVersion
        )
    }

    /// Dates and times without zone that hold a date: `date` and the datetimes.
    pub(crate) fn is_civil(self) -> bool {
        matches!(
            self,
            Self::Date | Self::SmallDateTime | Self::DateTime | Self::DateTime2(_)
        )
    }

    pub(crate) fn is_temporal(self) -> bool {
        self.is_civil() || matches!(self, Self::Time(_) | Self::DateTimeOffset(_))
    }

    /// Precision and scale of an exact number seen as a decimal; `None` for other types.
    pub(crate) fn as_decimal(self) -> Option<(u8, u8)> {
        Some(match self {
            Self::Bit => (1, 0),
            Self::TinyInt => (3, 0),
            Self::SmallInt => (5, 0),
            Self::Int => (10, 0),
            Self::BigInt => (19, 0),
            Self::Money => (19, 4),
            Self::SmallMoney => (10, 4),
            Self::Decimal(precision, scale) => (precision, scale),
            _ => return None,
        })
    }

    /// Declared length in characters (text) or bytes (binary); `None` is without bound.
    pub(crate) fn length(self) -> Option<u16> {
        match self {
            Self::Char(length) | Self::NChar(length) | Self::Binary(length) => Some(length),
            Self::VarChar(length) | Self::NVarChar(length) | Self::VarBinary(length) => length,
            Self::RowVersion => Some(8),
            _ => None,
        }
    }

    /// Place in SQL Server's order of precedence: where two types meet, the lower one converts.
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Xml => 30,
            Self::DateTimeOffset(_) => 29,
            Self::DateTime2(_) => 28,
            Self::DateTime => 27,
            Self::SmallDateTime => 26,
            Self::Date => 25,
            Self::Time(_) => 24,
            Self::Float => 23,
            Self::Real => 22,
            Self::Decimal(..) => 21,
            Self::Money => 20,
            Self::SmallMoney => 19,
            Self::BigInt => 18,
            Self::Int => 17,
            Self::SmallInt => 16,
            Self::TinyInt => 15,
            Self::Bit => 14,
            Self::NText => 13,
            Self::Text => 12,
            Self::Image => 11,
            Self::RowVersion => 10,
            Self::UniqueIdentifier => 9,
            Self::NVarChar(_) => 8,
            Self::NChar(_) => 7,
            Self::VarChar(_) => 6,
            Self::Char(_) => 5,
            Self::VarBinary(_) => 4,
            Self::Binary(_) => 3,
        }
    }

    /// The type that values of both take in a comparison, a CASE or a UNION.
    pub(crate) fn common(self, other: Self) -> Self {
        let (high, low) = if self.precedence() >= other.precedence() {
            (self, other)
        } else {
            (other, self)
        };
        match (high, low) {
            (Self::Decimal(p1, s1), low) => match low.as_decimal() {
                Some((p2, s2)) => {
                    let scale = s1.max(s2);
                    let whole = (p1 - s1).max(p2 - s2);
                    bounded_decimal(u16::from(whole) + u16::from(scale), scale, whole)
                }
                None => high,
            },
            (Self::Time(a), Self::Time(b)) => Self::Time(a.max(b)),
            (Self::DateTime2(a), low) => Self::DateTime2(a.max(low.fraction_digits())),
            (Self::DateTimeOffset(a), low) => Self::DateTimeOffset(a.max(low.fraction_digits())),
            (high, low) if high.is_text() && low.is_text() => common_text(high, low),
            (high, low) if high.is_binary() && low.is_binary() => match (high, low) {
                (Self::Binary(a), Self::Binary(b)) => Self::Binary(a.max(b)),
                (Self::VarBinary(a), low) => Self::VarBinary(longest(a, low.length())),
                _ => high,
            },
            _ => high,
        }
    }

    /// Digits after the second that the type can show.
    pub(crate) fn fraction_digits(self) -> u8 {
        match self {
            Self::Time(digits) | Self::DateTime2(digits) | Self::DateTimeOffset(digits) => digits,
            Self::DateTime => 3,
            _ => 0,
        }
    }
}

fn common_text(high: SqlType, low: SqlType) -> SqlType {
    let length = longest(high.length(), low.length());
    match high {
        SqlType::Xml | SqlType::Text | SqlType::NText => high,
        SqlType::Char(_) => SqlType::Char(length.unwrap_or(8000)),
        SqlType::NChar(_) if matches!(low, SqlType::NChar(_) | SqlType::Char(_)) => {
            SqlType::NChar(length.unwrap_or(4000).min(4000))
        }
        SqlType::NChar(_) | SqlType::NVarChar(_) => SqlType::NVarChar(length.map(|n| n.min(4000))),
        _ => SqlType::VarChar(length),
    }
}

fn longest(a: Option<u16>, b: Option<u16>) -> Option<u16> {
    Some(a?.max(b?))
}

/// A decimal cut to 38 digits: whole digits are kept as long as possible, the scale gives way.
fn bounded_decimal(precision: u16, scale: u8, whole: u8) -> SqlType {
    match u8::try_from(precision) {
        Ok(precision) if precision <= 38 => SqlType::Decimal(precision, scale),
        _ => SqlType::Decimal(38, scale.min(38 - whole.min(38))),
    }
}

/// Result type of decimal arithmetic, as "Precision, scale, and length" tabulates it.
pub(crate) fn arithmetic_decimal(operator: char, left: (u8, u8), right: (u8, u8)) -> SqlType {
    let (p1, s1) = (i16::from(left.0), i16::from(left.1));
    let (p2, s2) = (i16::from(right.0), i16::from(right.1));
    let (precision, scale) = match operator {
        '*' => (p1 + p2 + 1, s1 + s2),
        '/' => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        '%' => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
    };
    let whole = precision - scale;
    let scale = if precision <= 38 {
        scale
    } else if matches!(operator, '*' | '/') {
        // Multiplication and division keep at least six decimals, or fewer if they never had them.
        (38 - whole).max(scale.min(6)).min(scale)
    } else {
        (38 - whole).clamp(0, scale)
    };
    let narrow = |n: i16| u8::try_from(n.clamp(0, 38)).expect("clamped to two digits");
    SqlType::Decimal(narrow(precision.max(1)), narrow(scale))
}

/// One column of a table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Name in its declared case; found whatever the case.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// A table to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// The database it belongs to, for example `BPSPatients`.
    pub catalogue: String,
    /// Name without schema; the schema is `dbo`.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<ColumnDefinition>,
}
