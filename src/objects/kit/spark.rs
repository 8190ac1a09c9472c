//! Views for Spark SQL (4 and later for `_as_of`) and Databricks.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};

use super::lake::{Lake, PublishedQuery};
use super::sql::{Dialect, literal, opening};

const DIALECT: Dialect = Dialect { quote: '`' };
const NEXT_DAY: &str = "date_add(as_of_day, 1)";

pub(super) fn views(lake: &Lake) -> String {
    let how = "Run with `spark-sql -i spark.sql`; the _as_of functions need Spark 4.";
    let mut text = opening(lake, "Spark SQL", how);
    text.push_str(
        "--\n-- A snapshot without rows does not count as a site's newest here: look at _meta/coverage.parquet.\n",
    );
    for query in &lake.queries {
        if lacks_key(query) {
            text.push_str(&format!(
                "\n-- {}: Spark cannot read the type of its key.\n",
                query.id
            ));
        } else {
            text.push_str(&of_version(lake, query));
        }
    }
    for query in lake.current().filter(|query| !lacks_key(query)) {
        text.push_str(&of_current(query));
    }
    text
}

/// The address as Hadoop's file systems spell it.
fn root(address: &str) -> String {
    if let Some(rest) = address.strip_prefix("s3://") {
        return format!("s3a://{rest}");
    }
    if let Some(rest) = address.strip_prefix("az://") {
        let (container, folder) = rest.split_once('/').unwrap_or((rest, ""));
        return format!("abfss://{container}@<account>.dfs.core.windows.net/{folder}");
    }
    if address.contains("://") {
        return address.to_owned();
    }
    format!("file://{address}")
}

/// Spark's name of a type; `None` for what it refuses to read: Parquet's UUID and time of day, as of Spark 4.0.
fn type_name(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::UInt8 | DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP_NTZ".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP".to_owned(),
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Binary => "BINARY".to_owned(),
        _ => return None,
    })
}

/// `query` with the columns that Spark can read, and the names of the others.
fn readable(query: &PublishedQuery) -> (PublishedQuery, Vec<&str>) {
    let fields = query.schema.fields().iter();
    let (can, cannot): (Vec<_>, Vec<_>) =
        fields.partition(|field| type_name(field.data_type()).is_some());
    let can: Vec<FieldRef> = can.into_iter().cloned().collect();
    let readable = PublishedQuery {
        schema: Arc::new(Schema::new(can)),
        ..query.clone()
    };
    (
        readable,
        cannot
            .into_iter()
            .map(|field| field.name().as_str())
            .collect(),
    )
}

/// Without its key the newest row cannot be told, and a view that is wrong is worse than none.
fn lacks_key(query: &PublishedQuery) -> bool {
    let (_, left_out) = readable(query);
    query.key.iter().any(|key| left_out.contains(&key.as_str()))
}

fn of_version(lake: &Lake, query: &PublishedQuery) -> String {
    let name = query.view_name();
    let folder = literal(&lake.folder(&root(&lake.address), query));
    let purpose = query.purpose.replace('\n', " ");
    let (query, left_out) = readable(query);
    let note = if left_out.is_empty() {
        String::new()
    } else {
        format!(
            "-- Spark cannot read the types of: {}. They are left out.\n",
            left_out.join(", ")
        )
    };
    let history = format!("{name}_history");
    let declared = declared(&query);
    let columns = DIALECT.all_columns(&query);
    let latest = DIALECT.standing(&query, &history, None, None);
    let as_of = DIALECT.standing(&query, &history, Some(NEXT_DAY), None);
    format!(
        "\n-- {purpose}\n{note}CREATE OR REPLACE TEMPORARY VIEW {name}_files (\n{declared}\n) USING parquet OPTIONS (path {folder});\n\nCREATE OR REPLACE TEMPORARY VIEW {history} AS\nSELECT {columns}\nFROM {name}_files;\n\nCREATE OR REPLACE TEMPORARY VIEW {name}_latest AS\n{latest};\n\nCREATE OR REPLACE TEMPORARY FUNCTION {name}_as_of(as_of_day DATE) RETURNS TABLE RETURN\n{as_of};\n"
    )
}

/// All columns with their types. Said out loud: Spark infers from one file, and site keys from their looks.
fn declared(query: &PublishedQuery) -> String {
    let own = query.columns().filter_map(|(column, data_type)| {
        Some(format!(
            "    {} {}",
            DIALECT.name(column),
            type_name(data_type)?
        ))
    });
    let partitions = query
        .partitions()
        .into_iter()
        .map(|partition| match partition {
            "date" => format!("    {} DATE", DIALECT.name(partition)),
            _ => format!("    {} STRING", DIALECT.name(partition)),
        });
    let all: Vec<String> = own.chain(partitions).collect();
    all.join(",\n")
}

fn of_current(query: &PublishedQuery) -> String {
    let (name, version) = (&query.id.name, query.view_name());
    format!(
        "\nCREATE OR REPLACE TEMPORARY VIEW {name}_history AS SELECT * FROM {version}_history;\nCREATE OR REPLACE TEMPORARY VIEW {name}_latest AS SELECT * FROM {version}_latest;\n"
    )
}
