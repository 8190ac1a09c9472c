//! What the server tells about itself: server variables, metadata functions, catalogue views.

use super::Translator;
use super::function::{arity, values};
use super::scope::{Typed, literal, same};
use super::text_call::constant_text;
use crate::schema::Object;
use crate::{SqlError, SqlType};

const VERSION: &str = "Microsoft SQL Server 2019 (RTM) - 15.0.2000.5 (X64) (simulated)";

impl Translator<'_> {
    pub(super) fn server_variable(&mut self, name: &str) -> Result<Typed, SqlError> {
        match name.to_lowercase().as_str() {
            "@@version" => Ok(Typed::text(VERSION, SqlType::NVarChar(Some(300)))),
            "@@servername" | "@@servicename" => {
                Ok(Typed::text("BPSINSTANCE", SqlType::NVarChar(Some(128))))
            }
            "@@spid" => Ok(Typed::new("51", SqlType::SmallInt, false)),
            "@@error" => Ok(Typed::integer(0)),
            "@@datefirst" => Ok(Typed::new("7", SqlType::TinyInt, false)),
            "@@rowcount" | "@@trancount" => self.variable(name),
            _ => Err(SqlError::new(
                137,
                format!("Must declare the scalar variable \"{name}\"."),
            )),
        }
    }

    pub(super) fn system_call(
        &mut self,
        name: &str,
        arguments: Vec<Typed>,
    ) -> Result<Typed, SqlError> {
        match name {
            "db_name" => Ok(Typed::text(
                &self.catalogue.clone(),
                SqlType::NVarChar(Some(128)),
            )),
            "object_id" => {
                let text = constant_text(arguments.first().ok_or_else(|| arity(name, "1 to 2"))?)?;
                Ok(self
                    .object_named(&text)
                    .map_or(Typed::null(SqlType::Int), |object| {
                        Typed::new(object.id.to_string(), SqlType::Int, true)
                    }))
            }
            "col_length" => self.column_length(arguments),
            "schema_name" => Ok(Typed::text("dbo", SqlType::NVarChar(Some(128)))),
            "user_name" | "suser_sname" | "system_user" | "current_user" | "session_user" => {
                Ok(Typed::text("integrator", SqlType::NVarChar(Some(128))))
            }
            "host_name" => Ok(Typed::text("HALOLINK", SqlType::NVarChar(Some(128)))),
            "newid" | "rand" | "checksum" | "binary_checksum" => {
                Err(SqlError::unsupported(name.to_uppercase()))
            }
            _ => Err(SqlError::new(
                195,
                format!("'{name}' is not a recognized built-in function name."),
            )),
        }
    }

    fn column_length(&mut self, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
        let [table, column] = values("col_length", arguments)?;
        let (table, column) = (constant_text(&table)?, constant_text(&column)?);
        let found = self.object_named(&table).and_then(|object| {
            object
                .columns
                .iter()
                .find(|known| same(&known.name, &column))
                .map(|known| known.sql_type)
        });
        Ok(match found {
            Some(sql_type) => {
                Typed::new(stored_bytes(sql_type).to_string(), SqlType::SmallInt, true)
            }
            None => Typed::null(SqlType::SmallInt),
        })
    }

    /// A table or view by a name of up to three parts, brackets allowed.
    fn object_named(&self, text: &str) -> Option<&Object> {
        let parts: Vec<String> = text
            .split('.')
            .map(|part| part.trim_matches(['[', ']', '"', ' ']).to_owned())
            .collect();
        match &parts[..] {
            [name] | [_, name] => self.schema.find(&self.catalogue, name),
            [catalogue, _, name] => self.schema.find(catalogue, name),
            _ => None,
        }
    }

    /// The SQLite text and columns of a catalogue view, restricted to one database.
    pub(super) fn catalogue_view(
        &self,
        catalogue: &str,
        schema: &str,
        name: &str,
    ) -> Option<(String, Vec<Known>)> {
        let (table, columns): (&str, &[Known]) = match (schema, name) {
            ("information_schema", "tables") => ("objects", INFORMATION_TABLES),
            ("information_schema", "columns") => ("columns", INFORMATION_COLUMNS),
            ("sys", "tables") => ("objects", SYS_TABLES),
            ("sys", "views") => ("objects", SYS_TABLES),
            ("sys", "objects") => ("objects", SYS_OBJECTS),
            ("sys", "columns") => ("columns", SYS_COLUMNS),
            _ => return None,
        };
        let only = match (schema, name) {
            ("sys", "tables") => " AND type = 'U '",
            ("sys", "views") => " AND type = 'V '",
            _ => "",
        };
        let sql = format!(
            "(SELECT * FROM \"sys.{table}\" WHERE catalogue = {}{only})",
            literal(catalogue)
        );
        Some((sql, columns.to_vec()))
    }
}

/// One column of a catalogue view: its name, the stored column, its type, whether it may be NULL.
pub(super) type Known = (&'static str, &'static str, SqlType, bool);

const NAME: SqlType = SqlType::NVarChar(Some(128));

const INFORMATION_TABLES: &[Known] = &[
    ("TABLE_CATALOG", "catalogue", NAME, true),
    ("TABLE_SCHEMA", "schema_name", NAME, true),
    ("TABLE_NAME", "name", NAME, false),
    ("TABLE_TYPE", "table_type", SqlType::VarChar(Some(10)), true),
];

const INFORMATION_COLUMNS: &[Known] = &[
    ("TABLE_CATALOG", "catalogue", NAME, true),
    ("TABLE_SCHEMA", "schema_name", NAME, true),
    ("TABLE_NAME", "table_name", NAME, false),
    ("COLUMN_NAME", "name", NAME, true),
    ("ORDINAL_POSITION", "column_id", SqlType::Int, true),
    (
        "IS_NULLABLE",
        "is_nullable_text",
        SqlType::VarChar(Some(3)),
        true,
    ),
    ("DATA_TYPE", "type_name", NAME, true),
    (
        "CHARACTER_MAXIMUM_LENGTH",
        "character_length",
        SqlType::Int,
        true,
    ),
    (
        "NUMERIC_PRECISION",
        "numeric_precision",
        SqlType::TinyInt,
        true,
    ),
    ("NUMERIC_SCALE", "numeric_scale", SqlType::Int, true),
    (
        "DATETIME_PRECISION",
        "datetime_precision",
        SqlType::SmallInt,
        true,
    ),
];

const SYS_TABLES: &[Known] = &[
    ("name", "name", NAME, false),
    ("object_id", "object_id", SqlType::Int, false),
    ("schema_id", "schema_id", SqlType::Int, false),
    ("type", "type", SqlType::Char(2), false),
    ("type_desc", "type_desc", SqlType::NVarChar(Some(60)), true),
];

const SYS_OBJECTS: &[Known] = SYS_TABLES;

const SYS_COLUMNS: &[Known] = &[
    ("object_id", "object_id", SqlType::Int, false),
    ("name", "name", NAME, true),
    ("column_id", "column_id", SqlType::Int, false),
    ("system_type_id", "system_type_id", SqlType::TinyInt, false),
    ("max_length", "max_length", SqlType::SmallInt, false),
    ("precision", "precision", SqlType::TinyInt, false),
    ("scale", "scale", SqlType::TinyInt, false),
    ("is_nullable", "is_nullable", SqlType::Bit, true),
];

/// Bytes that SQL Server reserves for a value; -1 for `max`.
pub(crate) fn stored_bytes(sql_type: SqlType) -> i64 {
    match sql_type {
        SqlType::Bit | SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime => 4,
        SqlType::BigInt
        | SqlType::Float
        | SqlType::Money
        | SqlType::DateTime
        | SqlType::RowVersion => 8,
        SqlType::Decimal(precision, _) => match precision {
            0..=9 => 5,
            10..=19 => 9,
            20..=28 => 13,
            _ => 17,
        },
        SqlType::Date => 3,
        SqlType::Time(digits) => 3 + fraction_bytes(digits),
        SqlType::DateTime2(digits) => 6 + fraction_bytes(digits),
        SqlType::DateTimeOffset(digits) => 8 + fraction_bytes(digits),
        SqlType::Text | SqlType::NText | SqlType::Image | SqlType::UniqueIdentifier => 16,
        SqlType::Xml => -1,
        t => t.length().map_or(-1, |length| {
            i64::from(length) * if t.is_national() { 2 } else { 1 }
        }),
    }
}

fn fraction_bytes(digits: u8) -> i64 {
    match digits {
        0..=2 => 0,
        3 | 4 => 1,
        _ => 2,
    }
}

/// `sys.types.system_type_id`.
pub(crate) fn type_id(sql_type: SqlType) -> i64 {
    match sql_type {
        SqlType::Bit => 104,
        SqlType::TinyInt => 48,
        SqlType::SmallInt => 52,
        SqlType::Int => 56,
        SqlType::BigInt => 127,
        SqlType::Decimal(..) => 106,
        SqlType::Money => 60,
        SqlType::SmallMoney => 122,
        SqlType::Real => 59,
        SqlType::Float => 62,
        SqlType::Date => 40,
        SqlType::Time(_) => 41,
        SqlType::SmallDateTime => 58,
        SqlType::DateTime => 61,
        SqlType::DateTime2(_) => 42,
        SqlType::DateTimeOffset(_) => 43,
        SqlType::Char(_) => 175,
        SqlType::VarChar(_) => 167,
        SqlType::Text => 35,
        SqlType::NChar(_) => 239,
        SqlType::NVarChar(_) => 231,
        SqlType::NText => 99,
        SqlType::Xml => 241,
        SqlType::UniqueIdentifier => 36,
        SqlType::Binary(_) => 173,
        SqlType::VarBinary(_) => 165,
        SqlType::Image => 34,
        SqlType::RowVersion => 189,
    }
}

/// `sys.columns.precision` and `scale`.
pub(crate) fn precision_and_scale(sql_type: SqlType) -> (u8, u8) {
    match sql_type {
        SqlType::Float => (53, 0),
        SqlType::Real => (24, 0),
        SqlType::Date => (10, 0),
        SqlType::SmallDateTime => (16, 0),
        SqlType::DateTime => (23, 3),
        SqlType::Time(digits) => (if digits == 0 { 8 } else { 9 + digits }, digits),
        SqlType::DateTime2(digits) => (if digits == 0 { 19 } else { 20 + digits }, digits),
        SqlType::DateTimeOffset(digits) => (if digits == 0 { 26 } else { 27 + digits }, digits),
        t => t.as_decimal().unwrap_or((0, 0)),
    }
}
