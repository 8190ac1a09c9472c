//! The query files that ship: they lint clean and hold what the design promises of each.

use chrono::NaiveDate;
use halo_extract::catalog::{Catalog, limited, probe};
use halo_extract::domain::{Mode, Query, Window};

use crate::harness::project;
use crate::lake::{Site, ask, catalog, long_ago, parameters};

/// Every statement that may be sent, with its query: its own and its variants'.
fn statements(catalog: &Catalog) -> Vec<(&Query, &str)> {
    let of = |query: &'_ Query| query.variants.len();
    assert!(
        catalog.queries().map(of).sum::<usize>() > 0,
        "one query has a variant"
    );
    catalog
        .queries()
        .flat_map(|query| {
            let variants = query.variants.iter().map(|variant| variant.sql.as_str());
            std::iter::once(query.sql.as_str())
                .chain(variants)
                .map(move |sql| (query, sql))
        })
        .collect()
}

#[test]
fn every_statement_can_be_probed_and_the_probe_brings_no_row() {
    let today = NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day");
    let mut site = Site::open(0, 30, today);
    for (query, sql) in statements(&catalog()) {
        let probed = Query {
            sql: probe(sql).unwrap_or_else(|| panic!("{}", query.id)),
            ..query.clone()
        };
        let window = match query.mode {
            Mode::Incremental { .. } => Window::new(long_ago(), today).expect("years"),
            Mode::Snapshot => Window::day(today),
        };
        let page = ask(&mut site.database, &probed, window)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", query.id, probed.sql));
        assert_eq!(page.rows(), 0, "{}", query.id);
    }
}

#[test]
fn every_query_that_ships_lints_clean() {
    assert!(catalog().queries().count() >= 23);
}

#[test]
fn every_contract_is_what_the_server_describes() {
    let site = Site::open(0, 5, NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day"));
    for (query, sql) in statements(&catalog()) {
        let parameters = parameters(query, Window::day(site.practice.today()));
        let described = site
            .database
            .describe(sql, query.catalogue.as_deref(), &parameters)
            .unwrap_or_else(|error| panic!("{}: {error}", query.id));
        let described: Vec<_> = described
            .into_iter()
            .map(|column| (column.name, column.sql_type.to_string()))
            .collect();
        let contract: Vec<_> = query
            .contract
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.sql_type.to_string()))
            .collect();
        assert_eq!(described, contract, "{}", query.id);
    }
}

#[test]
fn every_query_can_be_previewed() {
    let site = Site::open(0, 5, NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day"));
    for (query, sql) in statements(&catalog()) {
        let parameters = parameters(query, Window::day(site.practice.today()));
        let limited = limited(sql, 20).unwrap_or_else(|| panic!("{}", query.id));
        let described = site
            .database
            .describe(&limited, query.catalogue.as_deref(), &parameters)
            .unwrap_or_else(|error| panic!("{}: {error}\n{limited}", query.id));
        assert_eq!(
            described.len(),
            query.contract.columns.len(),
            "{}",
            query.id
        );
    }
}

#[test]
fn the_readme_of_the_queries_names_every_one_with_its_mode() {
    let readme = std::fs::read_to_string(project().join("queries/README.md")).expect("a file");
    for query in catalog().queries() {
        let mode = match query.mode {
            Mode::Incremental { .. } => "incremental",
            Mode::Snapshot => "snapshot",
        };
        let begins = format!("| `{}` |", query.id.name);
        let line = readme.lines().find(|line| line.starts_with(&begins));
        let line = line.unwrap_or_else(|| panic!("{} is not in queries/README.md", query.id));
        assert!(line.contains(&format!("| {mode} |")), "{line}");
    }
}

#[test]
fn every_query_says_what_it_costs_and_what_each_column_means() {
    for query in catalog().queries() {
        assert!(query.cost.is_some(), "{}", query.id);
        for variant in &query.variants {
            assert!(variant.cost.is_some(), "{}: {}", query.id, variant.name);
        }
        for column in &query.contract.columns {
            let told = column.description.is_some();
            assert!(told, "{}: {}", query.id, column.name);
        }
    }
}

#[test]
fn every_query_of_patients_is_closed_to_those_who_opted_out() {
    for (query, sql) in statements(&catalog()) {
        let of_patients = query
            .contract
            .columns
            .iter()
            .any(|column| column.name == "patient_id");
        if of_patients {
            assert!(sql.contains("DATASHARINGOPTOUT = 0"), "{}", query.id);
            assert!(sql.contains("DENYACCESS = 0"), "{}", query.id);
            let has_status = query
                .contract
                .columns
                .iter()
                .any(|c| c.name == "record_status");
            assert!(has_status, "{}: deletions must flow", query.id);
        }
    }
}
