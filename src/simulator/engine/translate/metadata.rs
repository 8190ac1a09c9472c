//! The tables behind INFORMATION_SCHEMA and `sys`, filled as tables and views come into being.

use rusqlite::{Connection, params};

use super::system::{precision_and_scale, stored_bytes, type_id};
use crate::SqlType;
use crate::schema::{Body, Object};

/// Made once per practice.
pub(crate) const TABLES: &str = r#"
CREATE TABLE "sys.objects" (catalogue, schema_name, name COLLATE tsql, object_id, schema_id, type, type_desc, table_type);
CREATE TABLE "sys.columns" (catalogue, schema_name, table_name COLLATE tsql, object_id, name COLLATE tsql, column_id,
    system_type_id, type_name, max_length, precision, scale, is_nullable, is_nullable_text,
    character_length, numeric_precision, numeric_scale, datetime_precision);
"#;

/// Enters a table or view with its columns.
pub(crate) fn record(connection: &Connection, object: &Object) -> rusqlite::Result<()> {
    let (code, description, table_type) = match object.body {
        Body::Table => ("U ", "USER_TABLE", "BASE TABLE"),
        Body::View(_) => ("V ", "VIEW", "VIEW"),
    };
    connection.execute(
        r#"INSERT INTO "sys.objects" VALUES (?, 'dbo', ?, ?, 1, ?, ?, ?)"#,
        params![
            object.catalogue,
            object.name,
            object.id,
            code,
            description,
            table_type
        ],
    )?;
    let places = vec!["?"; 17].join(", ");
    let mut insert =
        connection.prepare_cached(&format!(r#"INSERT INTO "sys.columns" VALUES ({places})"#))?;
    for (at, column) in object.columns.iter().enumerate() {
        let t = column.sql_type;
        let (precision, scale) = precision_and_scale(t);
        let exact = t.is_number() && t != SqlType::Bit;
        insert.execute(params![
            object.catalogue,
            "dbo",
            object.name,
            object.id,
            column.name,
            i64::try_from(at + 1).expect("few columns"),
            type_id(t),
            t.name(),
            stored_bytes(t),
            precision,
            scale,
            column.nullable,
            if column.nullable { "YES" } else { "NO" },
            character_length(t),
            exact.then_some(precision),
            (exact && !t.is_float()).then_some(scale),
            t.is_temporal().then(|| t.fraction_digits()),
        ])?;
    }
    Ok(())
}

/// Characters for text, bytes for binary, -1 for `max`.
fn character_length(t: SqlType) -> Option<i64> {
    match t {
        SqlType::Text | SqlType::Image => Some(2_147_483_647),
        SqlType::NText => Some(1_073_741_823),
        t if t.is_text() || t.is_binary() => Some(t.length().map_or(-1, i64::from)),
        _ => None,
    }
}
