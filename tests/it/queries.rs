//! The query files that ship: they lint clean and hold what the design promises of each.

use std::path::Path;

use halo_extract::catalog::Catalog;

fn catalog() -> Catalog {
    match Catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("queries")) {
        Ok(catalog) => catalog,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_query_that_ships_lints_clean() {
    assert!(catalog().queries().count() >= 24);
}
