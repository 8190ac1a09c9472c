//! Views for DuckDB, which reads the files where they are.

use super::lake::{Lake, PublishedQuery};
use super::sql::{Dialect, literal, opening};
use crate::domain::Mode;

const DIALECT: Dialect = Dialect { quote: '"' };
const NEXT_DAY: &str = "CAST(as_of_day AS DATE) + 1";

pub(super) fn views(lake: &Lake) -> String {
    let how = "Run with `duckdb -init duckdb.sql`, or `.read duckdb.sql`.";
    let mut text = opening(lake, "DuckDB", how);
    text.push_str(needed_extension(&lake.address));
    for query in &lake.queries {
        text.push_str(&of_version(lake, query));
    }
    for query in lake.current() {
        text.push_str(&of_current(query));
    }
    text
}

/// DuckDB reads object stores by extensions, which load by themselves, and secrets, which do not.
fn needed_extension(address: &str) -> &'static str {
    match address.split_once("://").map(|(scheme, _)| scheme) {
        Some("s3" | "s3a") => {
            "\n-- First once: CREATE SECRET (TYPE s3, PROVIDER credential_chain);\n"
        }
        Some("gs") => "\n-- First once: CREATE SECRET (TYPE gcs, KEY_ID '…', SECRET '…');\n",
        Some("az" | "abfs" | "abfss") => {
            "\n-- First once: CREATE SECRET (TYPE azure, PROVIDER credential_chain, ACCOUNT_NAME '…');\n"
        }
        _ => "",
    }
}

fn of_version(lake: &Lake, query: &PublishedQuery) -> String {
    let name = query.view_name();
    let root = lake
        .address
        .strip_prefix("file://")
        .unwrap_or(&lake.address);
    let files = literal(&format!(
        "{}/site=*/date=*/*.parquet",
        lake.folder(root, query)
    ));
    let purpose = query.purpose.replace('\n', " ");
    let history = format!("{name}_history");
    // A snapshot without rows is still the newest one, and only its path says that it was taken.
    let windows = format!(
        "(\n        SELECT\n            regexp_extract(file, 'site=([^/]+)/', 1) AS _site,\n            CAST(regexp_extract(file, 'date=([0-9-]+)/', 1) AS DATE) AS _window_start,\n            CAST(regexp_extract(file, '_([0-9-]+)[.]parquet$', 1) AS DATE) AS _window_end\n        FROM glob({files})\n    )"
    );
    let windows = matches!(query.mode, Mode::Snapshot).then_some(windows.as_str());
    let latest = DIALECT.standing(query, &history, None, windows);
    let as_of = DIALECT.standing(query, &history, Some(NEXT_DAY), windows);
    let columns = DIALECT.all_columns(query);
    format!(
        "\n-- {purpose}\nCREATE OR REPLACE VIEW {history} AS\nSELECT {columns}\nFROM read_parquet({files}, union_by_name = true, hive_partitioning = {hive});\n\nCREATE OR REPLACE VIEW {name}_latest AS\n{latest};\n\nCREATE OR REPLACE MACRO {name}_as_of(as_of_day) AS TABLE\n{as_of};\n",
        hive = hive(query),
    )
}

/// Said out loud: a site key must stay text, whatever it looks like.
fn hive(query: &PublishedQuery) -> String {
    let types: Vec<&str> = query
        .partitions()
        .into_iter()
        .map(|partition| match partition {
            "date" => "'date': DATE",
            _ => "'site': VARCHAR",
        })
        .collect();
    if types.len() == 2 {
        format!("true, hive_types = {{{}}}", types.join(", "))
    } else {
        "false".to_owned()
    }
}

fn of_current(query: &PublishedQuery) -> String {
    let (name, version) = (&query.id.name, query.view_name());
    format!(
        "\nCREATE OR REPLACE VIEW {name}_history AS SELECT * FROM {version}_history;\nCREATE OR REPLACE VIEW {name}_latest AS SELECT * FROM {version}_latest;\nCREATE OR REPLACE MACRO {name}_as_of(as_of_day) AS TABLE SELECT * FROM {version}_as_of(as_of_day);\n"
    )
}
