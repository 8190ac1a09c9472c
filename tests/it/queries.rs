//! The query files that ship: they lint clean and hold what the design promises of each.

use chrono::NaiveDate;
use halo_extract::domain::Window;

use crate::lake::{Site, catalog, parameters};

#[test]
fn every_query_that_ships_lints_clean() {
    assert!(catalog().queries().count() >= 24);
}

#[test]
fn every_contract_is_what_the_server_describes() {
    let site = Site::open(0, 5, NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day"));
    for query in catalog().queries() {
        let parameters = parameters(query, Window::day(site.practice.today()));
        let described = site
            .database
            .describe(&query.sql, query.catalogue.as_deref(), &parameters)
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
