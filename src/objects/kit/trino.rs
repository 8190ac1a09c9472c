//! Tables and views for Trino's Hive connector, and engines of its family such as Athena.

use arrow::datatypes::DataType;

use super::lake::{Lake, PublishedQuery};
use super::sql::{Dialect, literal, opening};

const DIALECT: Dialect = Dialect { quote: '"' };
const NEXT_DAY: &str = "date_add('day', 1, ?)";

pub(super) fn views(lake: &Lake) -> String {
    let how =
        "Run in a catalog and schema of the Hive connector; run the CALLs again after each night.";
    let mut text = opening(lake, "Trino", how);
    text.push_str(
        "--\n-- Trino has no views with parameters: _as_of is a prepared statement, EXECUTE … USING DATE '2026-11-18'.\n-- A snapshot without rows does not count as a site's newest here: look at _meta/coverage.parquet.\n",
    );
    for query in &lake.queries {
        text.push_str(&of_version(lake, query));
    }
    for query in lake.current() {
        text.push_str(&of_current(query));
    }
    text
}

fn of_version(lake: &Lake, query: &PublishedQuery) -> String {
    let name = query.view_name();
    let folder = literal(&lake.folder(&lake.address, query));
    let purpose = query.purpose.replace('\n', " ");
    let history = format!("{name}_history");
    let latest = DIALECT.standing(query, &history, None, None);
    let as_of = DIALECT.standing(query, &history, Some(NEXT_DAY), None);
    let columns = DIALECT.all_columns(query);
    let mut declared: Vec<String> = query
        .columns()
        .map(|(column, data_type)| format!("    {} {}", DIALECT.name(column), type_name(data_type)))
        .collect();
    declared.extend(
        query
            .partitions()
            .into_iter()
            .map(|partition| match partition {
                "date" => "    \"date\" date".to_owned(),
                other => format!("    {} varchar", DIALECT.name(other)),
            }),
    );
    let partitions: Vec<String> = query.partitions().into_iter().map(literal).collect();
    format!(
        "\n-- {purpose}\nCREATE TABLE IF NOT EXISTS {name}_files (\n{declared}\n) WITH (\n    format = 'PARQUET',\n    external_location = {folder},\n    partitioned_by = ARRAY[{partitions}]\n);\nCALL system.sync_partition_metadata(CURRENT_SCHEMA, '{name}_files', 'FULL');\n\nCREATE OR REPLACE VIEW {history} AS\nSELECT {columns}\nFROM {name}_files;\n\nCREATE OR REPLACE VIEW {name}_latest AS\n{latest};\n\nPREPARE {name}_as_of FROM\n{as_of};\n",
        declared = declared.join(",\n"),
        partitions = partitions.join(", "),
    )
}

/// Trino's name of a type, as its Hive connector reads it from Parquet. It has no time of day there, and no
/// time zone: such columns come as the number and the UTC time that are stored.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::UInt8 | DataType::Int16 => "smallint".to_owned(),
        DataType::UInt16 | DataType::Int32 => "integer".to_owned(),
        DataType::Int64 | DataType::Time64(_) => "bigint".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary | DataType::FixedSizeBinary(_) => "varbinary".to_owned(),
        _ => "varchar".to_owned(),
    }
}

fn of_current(query: &PublishedQuery) -> String {
    let (name, version) = (&query.id.name, query.view_name());
    format!(
        "\nCREATE OR REPLACE VIEW {name}_history AS SELECT * FROM {version}_history;\nCREATE OR REPLACE VIEW {name}_latest AS SELECT * FROM {version}_latest;\n"
    )
}
