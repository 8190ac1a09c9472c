//! The text of the kit. What engines make of it is tested with the engines, in `tests/it/analyst_kit.rs`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use sqlparser::dialect::{DatabricksDialect, Dialect, GenericDialect};
use sqlparser::parser::Parser;

use super::super::output_schema;
use super::*;
use crate::domain::Mode;

fn published(id: &str, mode: Mode, key: &[&str], columns: &[(&str, DataType)]) -> PublishedQuery {
    let fields = columns
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    PublishedQuery {
        id: id.parse().expect("an id"),
        purpose: "What it's for\nin two lines".to_owned(),
        mode,
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        schema: output_schema(&schema),
    }
}

const INCREMENTAL: Mode = Mode::Incremental { overlap_days: 2 };

fn lake(address: &str, queries: Vec<PublishedQuery>) -> Lake {
    Lake {
        address: address.to_owned(),
        environment: Environment::Simulator,
        queries,
    }
}

fn sample() -> Lake {
    let time = DataType::Time64(TimeUnit::Microsecond);
    let guid = DataType::FixedSizeBinary(16);
    let columns = [
        ("record_id", DataType::Int32),
        ("record_status", DataType::Int32),
        ("at", time),
    ];
    lake(
        "/srv/it's a lake",
        vec![
            published("observation@v1", INCREMENTAL, &["record_id"], &columns),
            published("observation@v2", INCREMENTAL, &["record_id"], &columns),
            published(
                "roster@v1",
                Mode::Snapshot,
                &["guid"],
                &[("guid", guid), ("n", DataType::Int64)],
            ),
        ],
    )
}

fn statements(text: &str) -> Vec<&str> {
    text.split(";\n")
        .map(str::trim)
        .filter(|statement| statement.lines().any(|line| !line.starts_with("--")))
        .collect()
}

fn assert_parses(dialect: &dyn Dialect, text: &str, kinds: &[&str]) {
    let mut checked = 0;
    for statement in statements(text) {
        let words: String = statement
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect::<Vec<_>>()
            .join("\n");
        if kinds
            .iter()
            .any(|kind| words.trim_start().starts_with(kind))
        {
            // The parser knows PREPARE of other engines only; Trino's differs in this word.
            let words = words.replacen("_as_of FROM\n", "_as_of AS\n", 1);
            let parsed = Parser::parse_sql(dialect, &words);
            assert!(parsed.is_ok(), "{parsed:?}\n{words}");
            checked += 1;
        }
    }
    assert!(checked >= 6, "only {checked} statements were looked at");
}

#[test]
fn the_views_are_sql_that_parses() {
    let views = views(&sample());

    assert_parses(
        &GenericDialect {},
        &views["duckdb.sql"],
        &["CREATE OR REPLACE VIEW"],
    );
    assert_parses(
        &GenericDialect {},
        &views["trino.sql"],
        &["CREATE OR REPLACE VIEW", "PREPARE"],
    );
    let spark = ["SELECT", "CREATE OR REPLACE TEMPORARY VIEW observation"];
    let without_files: String = statements(&views["spark.sql"])
        .into_iter()
        .filter(|statement| !statement.contains("USING parquet"))
        .map(|statement| format!("{statement};\n"))
        .collect();
    assert_parses(&DatabricksDialect {}, &without_files, &spark);
}

#[test]
fn the_highest_version_has_the_name_without_a_version() {
    let views = views(&sample());

    for text in ["duckdb.sql", "trino.sql"].map(|name| &views[name]) {
        assert!(text.contains(
            "CREATE OR REPLACE VIEW observation_latest AS SELECT * FROM observation_v2_latest"
        ));
        assert!(!text.contains("observation_latest AS SELECT * FROM observation_v1_latest"));
    }
}

#[test]
fn spark_is_not_shown_what_it_cannot_read() {
    let spark = &views(&sample())["spark.sql"];

    assert!(spark.contains("-- Spark cannot read the types of: at."));
    assert!(!spark.contains("`at`"));
    assert!(spark.contains("-- roster@v1: Spark cannot read the type of its key."));
    assert!(!spark.contains("VIEW roster"));
}

#[test]
fn a_key_that_did_not_leave_the_practice_is_replaced_by_all_own_columns() {
    let columns = [("code", DataType::Int32), ("value", DataType::Utf8)];
    let query = published("observation@v1", INCREMENTAL, &["record_id"], &columns);

    assert_eq!(query.row_key(), ["code", "value"]);
}

#[test]
fn an_own_column_named_like_a_partition_hides_the_partition() {
    let columns = [("record_id", DataType::Int32), ("Date", DataType::Date32)];
    let query = published("observation@v1", INCREMENTAL, &["record_id"], &columns);

    assert_eq!(query.partitions(), ["site"]);
    let text = &views(&lake("/lake", vec![query]))["duckdb.sql"];
    assert!(text.contains("hive_partitioning = false"), "{text}");
}

#[test]
fn an_address_is_spelled_as_each_engine_wants_it() {
    let query = || {
        let columns = [("record_id", DataType::Int32)];
        vec![published(
            "observation@v1",
            INCREMENTAL,
            &["record_id"],
            &columns,
        )]
    };
    for (address, engine, spelled) in [
        (
            "s3://bucket/lake",
            "duckdb.sql",
            "'s3://bucket/lake/simulator/data/",
        ),
        (
            "s3://bucket/lake",
            "spark.sql",
            "'s3a://bucket/lake/simulator/data/",
        ),
        (
            "s3://bucket/lake",
            "trino.sql",
            "'s3://bucket/lake/simulator/data/",
        ),
        (
            "/srv/lake",
            "spark.sql",
            "'file:///srv/lake/simulator/data/",
        ),
        (
            "az://lake/x",
            "spark.sql",
            "'abfss://lake@<account>.dfs.core.windows.net/x/simulator/data/",
        ),
        ("gs://bucket", "duckdb.sql", "'gs://bucket/simulator/data/"),
    ] {
        let text = &views(&lake(address, query()))[engine];
        assert!(text.contains(spelled), "{address} in {engine}:\n{text}");
    }
}

#[test]
fn the_readme_names_every_query_and_where_the_denominator_is() {
    let text = readme(&sample());

    for part in [
        "observation@v2",
        "roster@v1",
        "coverage.parquet",
        "What it's for in two lines",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(
        !text.contains("\n         "),
        "no indentation of the source in it"
    );
}

/// What is open at the end of an M text, in order; panics where something is closed that is not open.
fn left_open(text: &str) -> Vec<char> {
    let mut open = Vec::new();
    for line in text.lines() {
        let mut in_text = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' => in_text = !in_text,
                _ if in_text => {}
                '/' if characters.peek() == Some(&'/') => break,
                '(' | '[' | '{' => open.push(character),
                ')' | ']' | '}' => {
                    let expected = match character {
                        ')' => '(',
                        ']' => '[',
                        _ => '{',
                    };
                    assert_eq!(open.pop(), Some(expected), "{line}");
                }
                _ => {}
            }
        }
        assert!(!in_text, "a text that does not end: {line}");
    }
    open
}

#[test]
fn the_functions_of_power_query_are_whole_and_name_every_query_and_its_key() {
    let text = &views(&sample())["power_query.pq"];

    assert_eq!(left_open(text), [' '; 0], "{text}");
    let word = |word: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|it| *it == word)
            .count()
    };
    assert_eq!(word("let"), word("in"), "{text}");
    assert!(text.contains("Root = \"/srv/it's a lake\","), "{text}");
    for entry in [
        "observation_v1_history = History(\"/simulator/data/observation/v1/\"),",
        "observation_v2_latest = NewestOfKey(observation_v2_history, {\"record_id\"}),",
        "observation_v2_as_of = (day as date) as table => NewestOfKey(Until(observation_v2_history, day), {\"record_id\"}),",
        "roster_v1_latest = NewestDay(roster_v1_history),",
        "roster_v1_as_of = (day as date) as table => NewestDay(Until(roster_v1_history, day))",
    ] {
        assert!(text.contains(entry), "{entry} in\n{text}");
    }
}
