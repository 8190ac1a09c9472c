//! What the engine answers, held against the T-SQL documentation.

use chrono::NaiveDate;

use super::*;

fn now() -> Now {
    let local = NaiveDate::from_ymd_opt(2026, 11, 21)
        .unwrap()
        .and_hms_milli_opt(14, 30, 5, 124)
        .unwrap();
    Now {
        local,
        offset_minutes: 660,
    }
}

fn column(name: &str, sql_type: &str) -> ColumnDefinition {
    let (sql_type, nullable) = match sql_type.strip_suffix(" not null") {
        Some(sql_type) => (sql_type, false),
        None => (sql_type, true),
    };
    ColumnDefinition {
        name: name.into(),
        sql_type: sql_type.parse().unwrap(),
        nullable,
    }
}

fn table(catalogue: &str, name: &str, columns: &[(&str, &str)]) -> TableDefinition {
    let columns = columns
        .iter()
        .map(|(name, sql_type)| column(name, sql_type))
        .collect();
    TableDefinition {
        catalogue: catalogue.into(),
        name: name.into(),
        columns,
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Three patients and five visits in BPSPatients, two products in BPSDrugs.
fn practice() -> Database {
    let mut database = Database::in_memory("BPSPatients").unwrap();
    database
        .create_table(&table(
            "BPSPatients",
            "PATIENTS",
            &[
                ("INTERNALID", "int not null"),
                ("SURNAME", "char(10)"),
                ("DOB", "datetime"),
                ("BALANCE", "decimal(9,2)"),
                ("NOTES", "text"),
            ],
        ))
        .unwrap();
    database
        .create_table(&table(
            "BPSPatients",
            "VISITS",
            &[
                ("VISITID", "int not null"),
                ("INTERNALID", "int not null"),
                ("VISITDATE", "datetime"),
                ("FEE", "money"),
            ],
        ))
        .unwrap();
    database
        .create_table(&table(
            "BPSDrugs",
            "PRODUCTS",
            &[("PRODUCTID", "int not null"), ("NAME", "varchar(40)")],
        ))
        .unwrap();
    let patients = vec![
        vec![
            Value::Int(1),
            text("Citizen"),
            text("1980-02-29"),
            Value::Decimal("12.50".into()),
            Value::Null,
        ],
        vec![
            Value::Int(2),
            text("O'Brien"),
            text("2001-12-31T08:15:00"),
            Value::Decimal("-3.10".into()),
            text("note"),
        ],
        vec![
            Value::Int(3),
            text("Nguyễn"),
            Value::Null,
            Value::Null,
            Value::Null,
        ],
    ];
    database
        .insert("BPSPatients", "PATIENTS", patients)
        .unwrap();
    let visits = [
        (10, 1, "2026-01-05", "80.00"),
        (11, 1, "2026-02-05", "41.05"),
        (12, 2, "2026-02-05", "0.00"),
        (13, 2, "2026-03-01", "120.5"),
        (14, 9, "2026-03-02", "10"),
    ];
    let visits = visits.map(|(id, patient, date, fee)| {
        vec![
            Value::Int(id),
            Value::Int(patient),
            text(date),
            Value::Decimal(fee.into()),
        ]
    });
    database.insert("BPSPatients", "VISITS", visits).unwrap();
    database
        .insert(
            "BPSDrugs",
            "PRODUCTS",
            [
                vec![Value::Int(7), text("Aspirin")],
                vec![Value::Int(8), text("panadol")],
            ],
        )
        .unwrap();
    database
}

fn command(sql: &str) -> Command {
    Command {
        text: sql.into(),
        catalogue: None,
        mode: Mode::Reader,
        stored_procedure: false,
        parameters: Vec::new(),
        now: now(),
    }
}

fn input(name: &str, sql_type: &str, value: Option<&str>) -> Parameter {
    Parameter {
        name: name.into(),
        direction: Direction::Input,
        sql_type: sql_type.into(),
        value: value.map(Into::into),
        size: None,
    }
}

fn run(database: &mut Database, command: &Command) -> Result<(Vec<String>, Outcome), SqlError> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let outcome = database.run(command, &mut rows)?;
    Ok((
        rows.into_iter()
            .map(|row| String::from_utf8(row).unwrap())
            .collect(),
        outcome,
    ))
}

fn rows(sql: &str) -> String {
    match run(&mut practice(), &command(sql)) {
        Ok((rows, _)) => rows.join(" "),
        Err(error) => format!("{} {}", error.number, error.message),
    }
}

/// The single value of a SELECT without FROM, as JSON.
fn value(expression: &str) -> String {
    let row = rows(&format!("SELECT {expression} AS v"));
    row.strip_prefix("{\"v\":")
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or(row.clone(), str::to_owned)
}

#[test]
fn a_row_is_an_object_in_the_spelling_of_the_query() {
    let expected =
        r#"{"InternalID":1,"SURNAME":"Citizen   ","DOB":"1980-02-29T00:00:00","BALANCE":12.50}"#;

    assert_eq!(
        rows("SELECT InternalID, SURNAME, DOB, BALANCE FROM PATIENTS WHERE InternalID = 1"),
        expected
    );
}

#[test]
fn a_star_takes_the_spelling_of_the_table() {
    assert_eq!(
        rows("select * from bpsdrugs.dbo.products where productid = 8"),
        r#"{"PRODUCTID":8,"NAME":"panadol"}"#
    );
}

#[test]
fn rows_join_and_come_in_the_order_asked_for() {
    let sql = "SELECT v.VISITID AS id, RTRIM(p.SURNAME) AS name FROM VISITS v WITH (NOLOCK)
               LEFT JOIN dbo.PATIENTS p ON p.INTERNALID = v.INTERNALID
               WHERE v.VISITDATE >= '20260205' ORDER BY v.VISITDATE DESC, id";

    assert_eq!(
        rows(sql),
        r#"{"id":14,"name":null} {"id":13,"name":"O'Brien"} {"id":11,"name":"Citizen"} {"id":12,"name":"O'Brien"}"#
    );
}

#[test]
fn typed_parameters_are_bound_and_a_null_date_is_null() {
    let mut database = practice();
    let mut command = command(
        "SELECT INTERNALID AS i FROM PATIENTS WHERE (@dob IS NULL OR DOB >= @dob) AND SURNAME = @name",
    );
    command.parameters = vec![
        input("@dob", "DateTime", Some("2000-01-01T00:00:00")),
        input("name", "String", Some("o'brien")),
    ];
    assert_eq!(run(&mut database, &command).unwrap().0, [r#"{"i":2}"#]);

    command.parameters[0].value = None;
    assert_eq!(run(&mut database, &command).unwrap().0, [r#"{"i":2}"#]);
}
