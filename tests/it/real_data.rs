//! Real tables through simulator, client and Parquet, every cell compared by a reader that wrote none of it.
//!
//! Needs `../shared/data` and the Python of `tests/run`; says loudly when either is absent.

use crate::fixture::text;
use crate::harness::{Home, Simulator, project, python, run_python, shared_data};

#[test]
fn every_cell_of_the_gp_tables_arrives() {
    assert_cells_arrive("synthea-nj", 14);
}

#[test]
fn every_cell_of_the_trial_tables_arrives() {
    assert_cells_arrive("cdisc-pilot-01", 6);
}

/// Extracts the tables of `../shared/data/<name>` that `tests/data/<name>/queries` asks for, at least `tables`.
fn assert_cells_arrive(name: &str, tables: usize) {
    let (Some(source), Some(python)) = (shared_data(name), python()) else {
        return;
    };
    let asked = project().join("tests/data").join(name);
    let data = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(&source).expect("the source") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            std::fs::copy(&path, data.path().join(path.file_name().expect("a name")))
                .expect("copied");
        }
    }
    std::fs::copy(asked.join("schema.sql"), data.path().join("schema.sql")).expect("copied");
    let simulator = Simulator::start(&["--data", text(data.path())]);
    let home = Home::new(&simulator, &asked.join("queries"));
    home.pair_all(&simulator);

    home.run(&["run", "--snapshot-date", "2026-11-20"])
        .succeeded();
    let printed = run_python(&python, "compare_cells.py", &[&source, &home.lake()]);

    let compared: usize = printed
        .lines()
        .last()
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .expect("a count");
    assert!(compared >= tables, "{printed}");
}
