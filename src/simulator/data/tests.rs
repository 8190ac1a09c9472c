//! Folders as practices.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::Folder;
use crate::simulator::engine::{Command, Database, Mode, Now};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn filled(directory: &Path, site: Option<&str>) -> Result<Database, String> {
    let mut database = Database::in_memory("BPSPatients").unwrap();
    Folder::open(directory, "BPSPatients")
        .and_then(|folder| folder.fill(site, &mut database))
        .map_err(|error| error.to_string())?;
    Ok(database)
}

fn rows(database: &mut Database, sql: &str) -> String {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let command = Command {
        text: sql.into(),
        catalogue: None,
        mode: Mode::Reader,
        stored_procedure: false,
        parameters: Vec::new(),
        now: Now {
            local: chrono::NaiveDateTime::default(),
            offset_minutes: 0,
        },
    };
    database.run(&command, &mut rows).unwrap();
    rows.iter()
        .map(|row| String::from_utf8_lossy(row).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn types(database: &Database, table: &str) -> String {
    let columns = database.columns("BPSPatients", table).unwrap();
    let types = columns.iter().map(|c| {
        format!(
            "{} {}{}",
            c.name,
            c.sql_type,
            if c.nullable { "" } else { " not null" }
        )
    });
    types.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_empty_field_is_null_and_an_empty_quoted_one_is_not() {
    let directory = folder(&[("T.csv", "A,B\r\n,\"\"\r\n\"x \"\"y\"\", z\nnext\",1\n")]);

    let mut database = filled(directory.path(), None).unwrap();

    assert_eq!(
        rows(&mut database, "SELECT A, B FROM T"),
        r#"{"A":null,"B":""} {"A":"x \"y\", z\nnext","B":"1"}"#
    );
}

#[test]
fn types_are_inferred_from_all_values_of_a_column() {
    let text = "I,BIG,D,CODE,DAY,AT,FINE,NAME,GONE\n\
        1,2147483647,1.5,007,2026-01-02,2026-01-02T08:15:00,2026-01-02 08:15:00.5,José,\n\
        -2,2147483648,-10.25,12,2026-01-03,2026-01-03,2026-01-02,Ann,\n";
    let directory = folder(&[("T.csv", text)]);

    let database = filled(directory.path(), None).unwrap();

    assert_eq!(
        types(&database, "T"),
        "I int not null, BIG bigint not null, D decimal(4,2) not null, CODE varchar(3) not null, DAY date not null, \
         AT datetime not null, FINE datetime2(7) not null, NAME nvarchar(4) not null, GONE varchar(1)"
    );
}

#[test]
fn a_declared_type_wins_and_a_declared_table_without_file_is_empty() {
    let directory = folder(&[
        ("t.csv", "ID,NAME\n1,ab\n"),
        (
            "schema.sql",
            "CREATE TABLE T (Name char(4), Id bigint NOT NULL); CREATE TABLE BPSDrugs.dbo.EMPTY (X int);",
        ),
    ]);

    let mut database = filled(directory.path(), None).unwrap();

    assert_eq!(
        rows(&mut database, "SELECT * FROM T"),
        r#"{"Name":"ab  ","Id":1}"#
    );
    assert_eq!(rows(&mut database, "SELECT * FROM BPSDrugs.dbo.EMPTY"), "");
}

#[test]
fn a_site_has_its_own_tables_on_top_of_the_shared_ones() {
    let directory = folder(&[
        ("A.csv", "X\n1\n"),
        ("B.csv", "X\n1\n"),
        ("sites/40001/B.csv", "X\n2\n"),
        ("sites/40002/C.csv", "X\n3\n"),
    ]);

    assert_eq!(
        Folder::open(directory.path(), "D").unwrap().sites(),
        ["40001", "40002"]
    );
    let mut database = filled(directory.path(), Some("40001")).unwrap();
    assert_eq!(
        rows(&mut database, "SELECT A.X AS a, B.X AS b FROM A, B"),
        r#"{"a":1,"b":2}"#
    );
}

#[test]
fn a_packed_file_is_read_as_its_text() {
    let directory = tempfile::tempdir().unwrap();
    let file = fs::File::create(directory.path().join("T.csv.gz")).unwrap();
    let mut packed = GzEncoder::new(file, Compression::fast());
    packed.write_all(b"X\n5\n").unwrap();
    packed.finish().unwrap();

    let mut database = filled(directory.path(), None).unwrap();

    assert_eq!(rows(&mut database, "SELECT X FROM T"), r#"{"X":5}"#);
}

#[test]
fn a_value_that_does_not_fit_is_named_by_its_place_only() {
    let schema = "CREATE TABLE T (ID int NOT NULL, FEE decimal(5,2), NAME varchar(3))";
    let cases = [
        (
            "ID,FEE,NAME\n1,1.00,abc\nsecret,1,a\n",
            "line 3, column ID: not a value of type int",
        ),
        (
            "ID,FEE,NAME\n1,1.005,a\n",
            "line 2, column FEE: not a value of type decimal(5,2)",
        ),
        (
            "ID,FEE,NAME\n1,1000,a\n",
            "data row 1, column FEE: not a value of type decimal(5,2)",
        ),
        (
            "ID,FEE,NAME\n1,1,secret\n",
            "data row 1, column NAME: not a value of type varchar(3)",
        ),
        (
            "ID,FEE,NAME\n,1,a\n",
            "data row 1, column ID: empty, but declared NOT NULL",
        ),
        ("ID,FEE\n1,1\n", "has no column NAME"),
        ("ID,FEE,NAME,MORE\n1,1,a,b\n", "column MORE is not declared"),
        (
            "ID,FEE,NAME\n1,1\n",
            "line 2: 2 fields where the header names 3 columns",
        ),
        ("ID,FEE,NAME\n1,1,\"a\n", "line 2: a quote is never closed"),
    ];
    for (text, expected) in cases {
        let directory = folder(&[("T.csv", text), ("schema.sql", schema)]);

        let error = filled(directory.path(), None).err().unwrap();

        assert!(
            error.contains("T.csv") && error.contains(expected),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn two_files_for_one_table_are_refused() {
    let directory = folder(&[("T.csv", "X\n1\n"), ("t.csv.gz", "")]);

    assert!(
        filled(directory.path(), None)
            .err()
            .unwrap()
            .contains("keep one of them")
    );
}

#[test]
fn the_real_data_sets_load_whole() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    if !root.is_dir() {
        eprintln!(
            "SKIPPED: {} is not here, so the real data sets were not loaded",
            root.display()
        );
        return;
    }
    // Row counts from the data sets' own READMEs.
    let mut synthea = filled(&root.join("synthea-nj"), None).unwrap();
    assert_eq!(
        rows(&mut synthea, "SELECT COUNT(*) AS n FROM encounters"),
        r#"{"n":10715}"#
    );
    assert_eq!(
        rows(
            &mut synthea,
            "SELECT COUNT(*) AS n FROM encounters WHERE TOTAL_CLAIM_COST >= BASE_ENCOUNTER_COST"
        ),
        r#"{"n":10715}"#
    );
    let some = tempfile::tempdir().unwrap();
    for name in ["adam_adsl.parquet", "sdtm_vs.parquet"] {
        fs::copy(
            root.join("cdisc-pilot-01").join(name),
            some.path().join(name),
        )
        .unwrap();
    }
    let mut trial = filled(some.path(), None).unwrap();
    assert_eq!(
        rows(&mut trial, "SELECT COUNT(*) AS n FROM sdtm_vs"),
        r#"{"n":29643}"#
    );
    assert_eq!(
        rows(
            &mut trial,
            "SELECT COUNT(*) AS n FROM adam_adsl WHERE AGE < 200"
        ),
        r#"{"n":254}"#
    );
}
