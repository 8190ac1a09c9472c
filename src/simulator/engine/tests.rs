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

/// Expressions and what SQL Server's documentation says they are, as JSON.
#[track_caller]
fn each(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expression, expected)| {
            let found = value(expression);
            (found != *expected)
                .then(|| format!("{expression}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_and_arithmetic_keep_sql_servers_types() {
    each(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("7 / 2.0", "3.500000"),
        ("1 / 3.0", "0.333333"),
        ("12.50 + 1", "13.50"),
        ("0.1 + 0.2", "0.3"),
        ("1.10 * 1.1", "1.210"),
        (
            "99999999999999999999999999999999999999 - 1",
            "99999999999999999999999999999999999998",
        ),
        ("1e0 / 3", "0.3333333333333333"),
        ("2147483648", "2147483648"),
        ("5 & 3", "1"),
        ("5 | 3", "7"),
        ("5 ^ 3", "6"),
        ("~5", "-6"),
        ("-(-3)", "3"),
        ("'a' + 'b'", "\"ab\""),
        ("'1' + 2", "3"),
        ("'a' + NULL", "null"),
        ("N'Nguyễn'", "\"Nguyễn\""),
        ("0xFF01", "\"/wE=\""),
        ("1 + 1.0E0", "2.0"),
    ]);
}

#[test]
fn conversions_follow_the_documented_rules() {
    each(&[
        ("CAST('12' AS int)", "12"),
        ("CAST(12.99 AS int)", "12"),
        ("CAST(-12.99 AS int)", "-12"),
        ("CAST(12.995 AS decimal(5,2))", "13.00"),
        ("CAST('1.255' AS decimal(5,2))", "1.26"),
        ("CAST(10.6496 AS numeric)", "11"),
        ("CAST(CAST(10.6496 AS money) AS int)", "11"),
        ("CAST(12 AS char(4)) + '|'", "\"12  |\""),
        ("CAST('abcdef' AS varchar(3))", "\"abc\""),
        ("CONVERT(varchar, 1234)", "\"1234\""),
        ("CONVERT(varchar(2), 1234)", "\"*\""),
        ("CAST(1 AS bit)", "true"),
        ("CAST(-256 AS bit)", "true"),
        ("CAST(CAST(NULL AS int) AS bit)", "null"),
        ("CAST('false' AS bit)", "false"),
        ("CAST(0.5 AS bit)", "true"),
        ("TRY_CAST('abc' AS int)", "null"),
        ("TRY_CONVERT(date, '2026-02-30')", "null"),
        ("CAST(CAST(1.5 AS money) AS varchar(20))", "\"1.50\""),
        ("CAST(12.5 AS money)", "12.5000"),
        ("CAST(1234567.8 AS varchar(20))", "\"1234567.8\""),
        (
            "CAST(CAST(1234567.8 AS float) AS varchar(20))",
            "\"1.23457e+006\"",
        ),
        ("CAST(CAST(0.5 AS float) AS varchar(20))", "\"0.5\""),
        ("CONVERT(varbinary(4), 1)", "\"AAAAAQ==\""),
        ("CONVERT(varchar(10), 0x4A6F, 1)", "\"0x4A6F\""),
        ("CONVERT(varbinary(4), '0x4A6F', 1)", "\"Sm8=\""),
        (
            "CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)",
            "\"6f9619ff-8b86-d011-b42d-00c04fc964ff\"",
        ),
    ]);
}

#[test]
fn dates_convert_to_text_in_the_documented_styles() {
    let d = "CAST('2026-03-09T14:05:07.123' AS datetime)";
    let styles = [
        (0, "Mar  9 2026  2:05PM"),
        (23, "2026-03-09"),
        (101, "03/09/2026"),
        (103, "09/03/2026"),
        (104, "09.03.2026"),
        (106, "09 Mar 2026"),
        (107, "Mar 09, 2026"),
        (108, "14:05:07"),
        (112, "20260309"),
        (113, "09 Mar 2026 14:05:07:123"),
        (120, "2026-03-09 14:05:07"),
        (121, "2026-03-09 14:05:07.123"),
        (126, "2026-03-09T14:05:07.123"),
        (127, "2026-03-09T14:05:07.123"),
        (3, "09/03/26"),
    ];
    for (style, expected) in styles {
        each(&[(
            &format!("CONVERT(varchar(30), {d}, {style})"),
            &format!("\"{expected}\""),
        )]);
    }
    each(&[
        (
            "CAST(CAST('2026-03-09' AS date) AS varchar(20))",
            "\"2026-03-09\"",
        ),
        (
            "CONVERT(varchar(33), CAST('2026-03-09T14:05:07' AS datetime), 126)",
            "\"2026-03-09T14:05:07\"",
        ),
        (
            "CONVERT(varchar(33), CAST('2026-03-09 14:05:07.5' AS datetime2(3)), 121)",
            "\"2026-03-09 14:05:07.500\"",
        ),
    ]);
}

#[test]
fn dates_are_read_in_the_documented_forms_and_rounded_to_their_type() {
    each(&[
        ("CAST('20260309' AS datetime)", "\"2026-03-09T00:00:00\""),
        (
            "CAST('2026-03-09 14:05' AS smalldatetime)",
            "\"2026-03-09T14:05:00\"",
        ),
        (
            "CAST('2026-03-09 14:05:30' AS smalldatetime)",
            "\"2026-03-09T14:06:00\"",
        ),
        (
            "CONVERT(date, '09/03/2026', 103)",
            "\"2026-03-09T00:00:00\"",
        ),
        (
            "CONVERT(date, '03/09/2026', 101)",
            "\"2026-03-09T00:00:00\"",
        ),
        ("CAST('9 Mar 2026' AS date)", "\"2026-03-09T00:00:00\""),
        (
            "CAST('Mar 9 2026 2:05PM' AS datetime)",
            "\"2026-03-09T14:05:00\"",
        ),
        (
            "CAST('1998-01-01 23:59:59.995' AS datetime)",
            "\"1998-01-01T23:59:59.997\"",
        ),
        (
            "CAST('1998-01-01 23:59:59.992' AS datetime)",
            "\"1998-01-01T23:59:59.993\"",
        ),
        (
            "CAST('1998-01-01 23:59:59.999' AS datetime)",
            "\"1998-01-02T00:00:00\"",
        ),
        ("CAST('12:35:29.1234567' AS time(4))", "\"12:35:29.1235\""),
        ("CAST('09:30' AS time)", "\"09:30:00\""),
        (
            "CAST('2026-03-09T14:05:07.1234567' AS datetime2)",
            "\"2026-03-09T14:05:07.1234567\"",
        ),
        (
            "CAST('2026-03-09 14:05:07 +10:00' AS datetimeoffset(0))",
            "\"2026-03-09T14:05:07+10:00\"",
        ),
        ("CAST('' AS datetime)", "\"1900-01-01T00:00:00\""),
        ("CAST(0 AS datetime)", "\"1900-01-01T00:00:00\""),
    ]);
}

#[test]
fn date_functions_count_boundaries_and_keep_types() {
    each(&[
        (
            "DATEADD(month, 1, CAST('2006-08-30' AS datetime))",
            "\"2006-09-30T00:00:00\"",
        ),
        ("DATEADD(month, 1, '2026-01-31')", "\"2026-02-28T00:00:00\""),
        (
            "DATEADD(year, -1, CAST('2024-02-29' AS date))",
            "\"2023-02-28T00:00:00\"",
        ),
        (
            "DATEADD(second, 29700, CAST('2026-01-05' AS datetime))",
            "\"2026-01-05T08:15:00\"",
        ),
        (
            "DATEDIFF(year, '2005-12-31 23:59:59.9999999', '2006-01-01 00:00:00.0000000')",
            "1",
        ),
        (
            "DATEDIFF(quarter, '2005-12-31 23:59:59.9999999', '2006-01-01 00:00:00.0000000')",
            "1",
        ),
        (
            "DATEDIFF(week, '2005-12-31 23:59:59.9999999', '2006-01-01 00:00:00.0000000')",
            "1",
        ),
        (
            "DATEDIFF(millisecond, '2005-12-31 23:59:59.9999999', '2006-01-01 00:00:00.0000000')",
            "1",
        ),
        ("DATEDIFF(month, '1980-02-29', '2026-03-01')", "553"),
        ("DATEDIFF(day, '2026-03-01', '2026-02-28')", "-1"),
        ("DATEPART(year, '2007-10-30 12:15:32.1234567')", "2007"),
        ("DATEPART(week, '2007-10-30')", "44"),
        ("DATEPART(dayofyear, '2007-10-30')", "303"),
        ("DATEPART(weekday, '2007-10-30')", "3"),
        ("DATEPART(iso_week, '2007-10-30')", "44"),
        (
            "DATEPART(millisecond, '2007-10-30 12:15:32.1234567')",
            "123",
        ),
        ("DATENAME(month, '2007-10-30')", "\"October\""),
        ("DATENAME(weekday, '2007-10-30')", "\"Tuesday\""),
        ("YEAR('2007-10-30') * 100 + MONTH('2007-10-30')", "200710"),
        ("EOMONTH('2026-02-03')", "\"2026-02-28T00:00:00\""),
        ("EOMONTH('2023-12-15', 2)", "\"2024-02-29T00:00:00\""),
        ("DATEFROMPARTS(2010, 12, 31)", "\"2010-12-31T00:00:00\""),
        (
            "DATETIMEFROMPARTS(2010, 12, 31, 23, 59, 59, 500)",
            "\"2010-12-31T23:59:59.5\"",
        ),
        (
            "DATEADD(month, DATEDIFF(month, 0, '2026-03-09'), 0)",
            "\"2026-03-01T00:00:00\"",
        ),
        (
            "CAST('2026-03-09' AS datetime) + 1",
            "\"2026-03-10T00:00:00\"",
        ),
        ("GETDATE()", "\"2026-11-21T14:30:05.123\""),
        ("SYSDATETIME()", "\"2026-11-21T14:30:05.124\""),
        ("SYSDATETIMEOFFSET()", "\"2026-11-21T14:30:05.124+11:00\""),
        ("GETUTCDATE()", "\"2026-11-21T03:30:05.123\""),
        ("DATEPART(tz, SYSDATETIMEOFFSET())", "660"),
        (
            "SWITCHOFFSET(SYSDATETIMEOFFSET(), '+00:00')",
            "\"2026-11-21T03:30:05.124+00:00\"",
        ),
        (
            "FORMAT(CAST('2026-03-09 08:05' AS datetime), 'dd/MM/yyyy HH:mm')",
            "\"09/03/2026 08:05\"",
        ),
    ]);
}

#[test]
fn string_functions_work_on_characters_without_case() {
    each(&[
        ("LEN('abc  ')", "3"),
        ("DATALENGTH('abc  ')", "5"),
        ("DATALENGTH(N'abc')", "6"),
        ("LEFT('abcdefg', 2)", "\"ab\""),
        ("RIGHT('abcdefg', 2)", "\"fg\""),
        ("SUBSTRING('abcdef', 2, 3)", "\"bcd\""),
        ("SUBSTRING('abcdef', 0, 3)", "\"ab\""),
        ("SUBSTRING('abc', 9, 3)", "\"\""),
        ("RTRIM('ab  ') + LTRIM('  c')", "\"abc\""),
        ("TRIM('  ab ')", "\"ab\""),
        ("UPPER('é') + LOWER('ÀB')", "\"Éàb\""),
        ("REPLACE('abcDEf', 'de', 'x')", "\"abcxf\""),
        ("CHARINDEX('B', 'abcb')", "2"),
        ("CHARINDEX('b', 'abcb', 3)", "4"),
        ("CHARINDEX('z', 'abc')", "0"),
        ("PATINDEX('%[0-9]%', 'ab3')", "3"),
        ("STUFF('abcdef', 2, 3, 'ijklmn')", "\"aijklmnef\""),
        ("REVERSE('abc')", "\"cba\""),
        ("REPLICATE('ab', 3)", "\"ababab\""),
        ("'a' + SPACE(2) + 'b'", "\"a  b\""),
        ("CONCAT('a', NULL, 1, 2.50)", "\"a12.50\""),
        ("CONCAT_WS(', ', 'a', NULL, 'b')", "\"a, b\""),
        ("CONCAT_WS(NULL, 1, 'b')", "\"1b\""),
        ("CONCAT_WS(0, -5, 'b')", "\"-50b\""),
        (
            "CONCAT(CAST('-9223372036854775808' AS bigint), CAST(255 AS tinyint), CAST(7 AS bit), CAST(NULL AS int))",
            "\"-92233720368547758082551\"",
        ),
        ("CHAR(65) + NCHAR(233)", "\"Aé\""),
        ("ASCII('A')", "65"),
        ("QUOTENAME('a]b')", "\"[a]]b]\""),
        ("TRANSLATE('2*[3+4]', '[]', '()')", "\"2*(3+4)\""),
        ("FORMAT(1234567.891, 'N2')", "\"1,234,567.89\""),
        ("FORMAT(7, 'D3')", "\"007\""),
        ("'tab' + CHAR(9) + '\"\\'", "\"tab\\t\\\"\\\\\""),
    ]);
}

#[test]
fn conditional_and_mathematical_functions_follow_their_argument() {
    each(&[
        ("ISNULL(NULL, 3)", "3"),
        ("ISNULL(CAST(NULL AS varchar(2)), 'abc')", "\"ab\""),
        ("COALESCE(NULL, 1, 2.5)", "1.0"),
        ("NULLIF(1, 1)", "null"),
        ("NULLIF('A ', 'a')", "null"),
        ("IIF(1 = 2, 'x', 'yz')", "\"yz\""),
        ("CHOOSE(2, 'a', 'b')", "\"b\""),
        ("CASE WHEN 1 = 1 THEN 1 ELSE 2.50 END", "1.00"),
        ("CASE 'B' WHEN 'a' THEN 1 WHEN 'b' THEN 2 END", "2"),
        ("ABS(-3.10)", "3.10"),
        ("ROUND(123.4545, 2)", "123.4500"),
        ("ROUND(123.45, -2)", "100.00"),
        ("ROUND(150.75, 0, 1)", "150.00"),
        ("ROUND(748, -1)", "750"),
        ("FLOOR(-123.45)", "-124"),
        ("CEILING(123.45)", "124"),
        ("FLOOR(CAST(123.45 AS money))", "123.0000"),
        ("POWER(2, 10)", "1024"),
        ("SQRT(16)", "4.0"),
        ("SIGN(-2.5)", "-1.0"),
        ("GREATEST(1, 3, 2)", "3"),
        ("LEAST(2.5, 10)", "2.5"),
        ("ISNUMERIC('12.5')", "1"),
        ("ISNUMERIC('<0.5')", "0"),
        ("ISNUMERIC('')", "0"),
        ("ISDATE('2026-02-30')", "0"),
        ("TRY_CAST('<0.5' AS decimal(10,2))", "null"),
        (
            "HASHBYTES('SHA2_256', 'abc')",
            "\"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\"",
        ),
    ]);
}

#[test]
fn errors_carry_sql_servers_number_and_words() {
    let cases = [
        (
            "SELECT 1 / 0 AS x",
            "8134 Divide by zero error encountered.",
        ),
        (
            "SELECT 1.0 / 0 AS x",
            "8134 Divide by zero error encountered.",
        ),
        (
            "SELECT CAST('abc' AS int) AS x",
            "245 Conversion failed when converting the varchar value 'abc' to data type int.",
        ),
        (
            "SELECT CAST('abc' AS decimal(5,2)) AS x",
            "8114 Error converting data type varchar to numeric.",
        ),
        (
            "SELECT CAST('soon' AS date) AS x",
            "241 Conversion failed when converting date and/or time from character string.",
        ),
        (
            "SELECT CAST('2026-02-30' AS datetime) AS x",
            "242 The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
        ),
        (
            "SELECT 2147483647 + 1 AS x",
            "8115 Arithmetic overflow error converting expression to data type int.",
        ),
        (
            "SELECT CAST(300 AS tinyint) AS x",
            "220 Arithmetic overflow error for data type tinyint, value = 300.",
        ),
        (
            "SELECT CAST(1000 AS decimal(3,0)) AS x",
            "8115 Arithmetic overflow error converting int to data type numeric.",
        ),
        (
            "SELECT NOPE FROM PATIENTS",
            "207 Invalid column name 'NOPE'.",
        ),
        (
            "SELECT p.NOPE FROM PATIENTS p",
            "207 Invalid column name 'NOPE'.",
        ),
        (
            "SELECT q.X FROM PATIENTS p",
            "4104 The multi-part identifier \"q.X\" could not be bound.",
        ),
        ("SELECT 1 AS x FROM NOPE", "208 Invalid object name 'NOPE'."),
        (
            "SELECT 1 AS x FROM BPSNOPE.dbo.T",
            "208 Invalid object name 'BPSNOPE.dbo.T'.",
        ),
        (
            "SELECT INTERNALID FROM PATIENTS p, VISITS v",
            "209 Ambiguous column name 'INTERNALID'.",
        ),
        (
            "SELECT NOPE(1) AS x",
            "195 'nope' is not a recognized built-in function name.",
        ),
        (
            "SELECT @x AS x",
            "137 Must declare the scalar variable \"@x\".",
        ),
        (
            "SELECT 1 AS x WHERE 1",
            "4145 An expression of non-boolean type specified in a context where a condition is expected, near '1'.",
        ),
        (
            "SELECT (SELECT INTERNALID FROM PATIENTS) AS x",
            "512 Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.",
        ),
        (
            "SELECT SURNAME, COUNT(*) AS n FROM PATIENTS",
            "8120 Column 'PATIENTS.SURNAME' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
        ),
        (
            "SELECT 1 AS x FROM PATIENTS WHERE COUNT(*) > 1",
            "147 An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.",
        ),
        (
            "SELECT 1 AS x UNION ALL SELECT 1, 2",
            "205 All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
        ),
        (
            "SELECT * FROM (SELECT 1) d",
            "8155 No column name was specified for column 1 of 'd'.",
        ),
        (
            "SELECT * FROM (SELECT INTERNALID FROM PATIENTS ORDER BY 1) d",
            "1033 The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.",
        ),
        (
            "SELECT INTERNALID FROM PATIENTS WHERE NOTES = 'note'",
            "402 The data types text and varchar are incompatible in the equal to operator.",
        ),
        (
            "SELECT DISTINCT NOTES FROM PATIENTS",
            "306 The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL or LIKE operator.",
        ),
        (
            "SELECT INTERNALID FROM PATIENTS GROUP",
            "102 Incorrect syntax near 'GROUP'.",
        ),
        (
            "EXEC BP_Nope 1",
            "2812 Could not find stored procedure 'BP_Nope'.",
        ),
        (
            "SELECT TOP 5 WITH TIES INTERNALID FROM PATIENTS",
            "1062 The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.",
        ),
        (
            "SELECT TOP 10 PERCENT INTERNALID FROM PATIENTS",
            "40517 Keyword or statement option 'TOP … PERCENT' is not supported in this version of SQL Server.",
        ),
        (
            "BEGIN TRY SELECT 1 AS x END TRY BEGIN CATCH SELECT 2 AS x END CATCH",
            "40517 Keyword or statement option 'BEGIN TRY' is not supported in this version of SQL Server.",
        ),
        (
            "DECLARE @r int; EXEC @r = BPSPATIENTS.dbo.BP_Nope @a = 1, @b = 'x'; SELECT @r AS r",
            "2812 Could not find stored procedure 'BPSPATIENTS.dbo.BP_Nope'.",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(sql, expected)| {
            let found = rows(sql);
            (found != *expected)
                .then(|| format!("{sql}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn queries_of_every_shape_give_the_rows_of_the_standard() {
    let cases = [
        // Text compares without case and trailing blanks; accents count.
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE SURNAME = 'CITIZEN'",
            r#"{"i":1}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE SURNAME = N'nguyen'",
            "",
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE SURNAME LIKE 'c%n'",
            r#"{"i":1}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE SURNAME LIKE '[^a-m]%' ORDER BY i",
            r#"{"i":2} {"i":3}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE NOTES LIKE '%ot%'",
            r#"{"i":2}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE SURNAME IN ('CITIZEN', 'x')",
            r#"{"i":1}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE INTERNALID NOT IN (SELECT INTERNALID FROM VISITS)",
            r#"{"i":3}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS p WHERE NOT EXISTS (SELECT 1 FROM VISITS v WHERE v.INTERNALID = p.INTERNALID)",
            r#"{"i":3}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE DOB BETWEEN '1980-01-01' AND '1980-12-31'",
            r#"{"i":1}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE BALANCE > 9",
            r#"{"i":1}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS WHERE BALANCE < 12.5",
            r#"{"i":2}"#,
        ),
        // Exact sums and averages.
        (
            "SELECT SUM(FEE) AS s, COUNT(*) AS n, AVG(FEE) AS a, MIN(FEE) AS lo, MAX(FEE) AS hi FROM VISITS",
            r#"{"s":251.5500,"n":5,"a":50.3100,"lo":0.0000,"hi":120.5000}"#,
        ),
        (
            "SELECT SUM(BALANCE) AS s, AVG(BALANCE) AS a, COUNT(BALANCE) AS n FROM PATIENTS",
            r#"{"s":9.40,"a":4.700000,"n":2}"#,
        ),
        (
            "SELECT AVG(VISITID) AS a, SUM(VISITID) AS s FROM VISITS",
            r#"{"a":12,"s":60}"#,
        ),
        (
            "SELECT SUM(FEE) AS s FROM VISITS WHERE 1 = 0",
            r#"{"s":null}"#,
        ),
        (
            "SELECT COUNT(DISTINCT INTERNALID) AS n FROM VISITS",
            r#"{"n":3}"#,
        ),
        (
            "SELECT INTERNALID AS i, COUNT(*) AS n FROM VISITS GROUP BY INTERNALID HAVING COUNT(*) > 1 ORDER BY i",
            r#"{"i":1,"n":2} {"i":2,"n":2}"#,
        ),
        (
            "SELECT MONTH(VISITDATE) AS m, SUM(FEE) AS s FROM VISITS GROUP BY MONTH(VISITDATE) ORDER BY MONTH(VISITDATE) DESC",
            r#"{"m":3,"s":130.5000} {"m":2,"s":41.0500} {"m":1,"s":80.0000}"#,
        ),
        (
            "SELECT STRING_AGG(CAST(VISITID AS varchar(5)), ',') WITHIN GROUP (ORDER BY VISITID DESC) AS l FROM VISITS",
            r#"{"l":"14,13,12,11,10"}"#,
        ),
        // TOP, OFFSET, DISTINCT, UNION.
        (
            "SELECT TOP 2 VISITID AS v FROM VISITS ORDER BY FEE DESC",
            r#"{"v":13} {"v":10}"#,
        ),
        (
            "SELECT TOP (1) VISITID AS v FROM VISITS ORDER BY v",
            r#"{"v":10}"#,
        ),
        (
            "SELECT VISITID AS v FROM VISITS ORDER BY VISITID OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
            r#"{"v":11} {"v":12}"#,
        ),
        (
            "SELECT DISTINCT INTERNALID AS i FROM VISITS ORDER BY INTERNALID",
            r#"{"i":1} {"i":2} {"i":9}"#,
        ),
        (
            "SELECT COUNT(*) AS n FROM (SELECT 'a' AS x UNION SELECT 'A ' UNION ALL SELECT 'b') u",
            r#"{"n":2}"#,
        ),
        (
            "SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x DESC",
            r#"{"x":2.5} {"x":1.0}"#,
        ),
        (
            "SELECT INTERNALID AS i FROM PATIENTS EXCEPT SELECT INTERNALID FROM VISITS",
            r#"{"i":3}"#,
        ),
        // WITH, recursion, derived tables, VALUES.
        (
            "WITH v AS (SELECT INTERNALID, MAX(VISITDATE) AS last FROM VISITS GROUP BY INTERNALID) SELECT p.INTERNALID AS i, v.last FROM PATIENTS p JOIN v ON v.INTERNALID = p.INTERNALID ORDER BY i",
            r#"{"i":1,"last":"2026-02-05T00:00:00"} {"i":2,"last":"2026-03-01T00:00:00"}"#,
        ),
        (
            "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n OPTION (MAXRECURSION 10)",
            r#"{"i":1} {"i":2} {"i":3}"#,
        ),
        (
            "SELECT d.a AS a FROM (VALUES (1, 'x'), (2, 'y')) d(a, b) WHERE d.b = 'Y'",
            r#"{"a":2}"#,
        ),
        (
            "SELECT value AS v FROM GENERATE_SERIES(1, 7, 3)",
            r#"{"v":1} {"v":4} {"v":7}"#,
        ),
        (
            "SELECT value AS v FROM GENERATE_SERIES(3, 1)",
            r#"{"v":3} {"v":2} {"v":1}"#,
        ),
        (
            "SELECT value AS v FROM STRING_SPLIT('a,b', ',')",
            r#"{"v":"a"} {"v":"b"}"#,
        ),
        // Windows.
        (
            "SELECT VISITID AS v, ROW_NUMBER() OVER (PARTITION BY INTERNALID ORDER BY VISITDATE DESC) AS r FROM VISITS ORDER BY v",
            r#"{"v":10,"r":2} {"v":11,"r":1} {"v":12,"r":2} {"v":13,"r":1} {"v":14,"r":1}"#,
        ),
        (
            "SELECT VISITID AS v, SUM(FEE) OVER (ORDER BY VISITID) AS s FROM VISITS WHERE INTERNALID = 1",
            r#"{"v":10,"s":80.0000} {"v":11,"s":121.0500}"#,
        ),
        (
            "SELECT VISITID AS v, LAG(VISITID, 1, 0) OVER (ORDER BY VISITID) AS l FROM VISITS WHERE INTERNALID = 2",
            r#"{"v":12,"l":0} {"v":13,"l":12}"#,
        ),
        // APPLY.
        (
            "SELECT p.INTERNALID AS i, l.VISITID AS v FROM PATIENTS p OUTER APPLY (SELECT TOP 1 VISITID FROM VISITS v WHERE v.INTERNALID = p.INTERNALID ORDER BY VISITDATE DESC) l ORDER BY i",
            r#"{"i":1,"v":11} {"i":2,"v":13} {"i":3,"v":null}"#,
        ),
        (
            "SELECT p.INTERNALID AS i, l.n FROM PATIENTS p CROSS APPLY (SELECT TOP (1) FEE AS n FROM VISITS v WHERE v.INTERNALID = p.INTERNALID ORDER BY FEE) l ORDER BY i",
            r#"{"i":1,"n":41.0500} {"i":2,"n":0.0000}"#,
        ),
        (
            "SELECT p.INTERNALID AS i, x.k, x.v FROM PATIENTS p CROSS APPLY (VALUES ('a', p.BALANCE), ('b', 1)) x(k, v) WHERE p.INTERNALID = 1 ORDER BY x.k",
            r#"{"i":1,"k":"a","v":12.50} {"i":1,"k":"b","v":1.00}"#,
        ),
        (
            "SELECT p.INTERNALID AS i, x.v FROM PATIENTS p CROSS APPLY (SELECT VISITID AS v FROM VISITS q WHERE q.INTERNALID = p.INTERNALID) x WHERE p.INTERNALID = 2 ORDER BY v",
            r#"{"i":2,"v":12} {"i":2,"v":13}"#,
        ),
        // Names.
        (
            "SELECT [p].[SURNAME] AS [a b] FROM [BPSPatients].[dbo].[PATIENTS] AS [p] WHERE p.internalid = 1",
            r#"{"a b":"Citizen   "}"#,
        ),
        (
            "SELECT PATIENTS.INTERNALID AS i FROM dbo.PATIENTS WHERE dbo.PATIENTS.INTERNALID = 3",
            r#"{"i":3}"#,
        ),
        (
            "SELECT name AS n FROM sys.tables ORDER BY name",
            r#"{"n":"PATIENTS"} {"n":"VISITS"}"#,
        ),
        (
            "SELECT COLUMN_NAME AS n, DATA_TYPE AS t, CHARACTER_MAXIMUM_LENGTH AS l FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'patients' AND ORDINAL_POSITION IN (2, 4) ORDER BY ORDINAL_POSITION",
            r#"{"n":"SURNAME","t":"char","l":10} {"n":"BALANCE","t":"decimal","l":null}"#,
        ),
        (
            "SELECT COL_LENGTH('PATIENTS', 'SURNAME') AS l, COL_LENGTH('PATIENTS', 'NOPE') AS n, DB_NAME() AS d",
            r#"{"l":10,"n":null,"d":"BPSPatients"}"#,
        ),
        (
            "IF OBJECT_ID('dbo.NOPE') IS NULL SELECT 'absent' AS x ELSE SELECT 'here' AS x",
            r#"{"x":"absent"}"#,
        ),
        (
            "SELECT TOP 1 WITH TIES VISITID AS v FROM VISITS WHERE INTERNALID < 9 ORDER BY MONTH(VISITDATE) DESC, INTERNALID",
            r#"{"v":13}"#,
        ),
        (
            "SELECT v FROM (SELECT TOP (2) WITH TIES VISITID AS v FROM VISITS ORDER BY VISITDATE) t ORDER BY v",
            r#"{"v":10} {"v":11} {"v":12}"#,
        ),
        (
            "SELECT * FROM (SELECT TOP 100 PERCENT INTERNALID AS i FROM PATIENTS ORDER BY 1) t WHERE i < 2",
            r#"{"i":1}"#,
        ),
        (
            "SET NOCOUNT ON SET XACT_ABORT ON DECLARE @a int = 4 SET @a = @a + 1 SELECT @a AS a",
            r#"{"a":5}"#,
        ),
        (
            "SELECT CASE WHEN 1 IS NULL THEN 'x' END AS a, NULL AS b, '' AS c, N'' AS d",
            r#"{"a":null,"b":null,"c":"","d":""}"#,
        ),
        (
            "SELECT a.INTERNALID AS i, b.INTERNALID AS j FROM PATIENTS a FULL OUTER JOIN (VISITS b JOIN PATIENTS c ON c.INTERNALID = b.INTERNALID) ON b.INTERNALID = a.INTERNALID AND b.VISITID = 10 WHERE a.INTERNALID = 1 OR b.VISITID = 13 ORDER BY j",
            r#"{"i":1,"j":1} {"i":null,"j":2}"#,
        ),
        (
            "SELECT p.INTERNALID AS i, (SELECT MAX(v.VISITDATE) FROM VISITS v WHERE v.INTERNALID = p.INTERNALID) AS last FROM PATIENTS p WHERE p.INTERNALID = 2",
            r#"{"i":2,"last":"2026-03-01T00:00:00"}"#,
        ),
        (
            "SELECT COUNT(*) AS n FROM PATIENTS WHERE DATEDIFF(year, DOB, GETDATE()) >= 25",
            r#"{"n":2}"#,
        ),
        (
            "SELECT SUM(CASE WHEN FEE > 50 THEN 1 ELSE 0 END) AS n, SUM(FEE) / COUNT(*) AS a FROM VISITS",
            r#"{"n":2,"a":50.3100}"#,
        ),
        (
            "UPDATE PATIENTS SET BALANCE = 0 WHERE INTERNALID < 3; SELECT @@ROWCOUNT AS n",
            r#"{"n":2}"#,
        ),
        (
            "DECLARE @n int; IF 1 = 2 BEGIN SET @n = 1; SELECT @n AS a END ELSE BEGIN SET @n = 2; SELECT @n AS b END",
            r#"{"b":2}"#,
        ),
        ("BEGIN SELECT 7 AS x; END", r#"{"x":7}"#),
        (
            "BEGIN TRAN; DELETE FROM VISITS; SELECT @@TRANCOUNT AS t, (SELECT COUNT(*) FROM VISITS) AS n; ROLLBACK",
            r#"{"t":1,"n":0}"#,
        ),
        // Scripts.
        (
            "SET NOCOUNT ON; DECLARE @a int = 2, @b varchar(10); SET @b = 'x'; SELECT @a = MAX(INTERNALID) FROM PATIENTS; SELECT @a AS a, @b AS b",
            r#"{"a":3,"b":"x"}"#,
        ),
        (
            "SELECT SURNAME = RTRIM(SURNAME) FROM PATIENTS WHERE INTERNALID = 2",
            r#"{"SURNAME":"O'Brien"}"#,
        ),
        (
            "SELECT COUNT(*) AS n FROM PATIENTS WHERE 5 > ALL (SELECT VISITID FROM VISITS WHERE 1 = 0)",
            r#"{"n":3}"#,
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(sql, expected)| {
            let found = rows(sql);
            (found != *expected)
                .then(|| format!("{sql}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_result_is_described_without_running_it() {
    let described = practice()
        .describe(
            "DECLARE @d datetime; SELECT p.INTERNALID, RTRIM(SURNAME) AS name, BALANCE * 2 AS twice, v.FEE,
             COUNT(*) OVER () AS n, ISNULL(BALANCE, 0) AS b, CAST(@d AS date) AS d, 1 / 0 AS x
             FROM PATIENTS p LEFT JOIN VISITS v ON v.INTERNALID = p.INTERNALID",
            None,
            &[],
        )
        .unwrap();

    let described: Vec<String> = described
        .iter()
        .map(|column| {
            format!(
                "{} {}{}",
                column.name,
                column.sql_type,
                if column.nullable { "" } else { " not null" }
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "INTERNALID int not null",
            "name varchar(10)",
            "twice decimal(11,2)",
            "FEE money",
            "n int not null",
            "b decimal(9,2) not null",
            "d date",
            "x int not null"
        ]
    );
}

#[test]
fn writes_count_their_rows_and_respect_the_table() {
    let mut database = practice();
    let mut write =
        command("UPDATE PATIENTS SET SURNAME = 'New', BALANCE = BALANCE + 1 WHERE INTERNALID < 3");
    write.mode = Mode::NonQuery;
    assert_eq!(run(&mut database, &write).unwrap().1.rows_affected, Some(2));

    write.text = "INSERT INTO VISITS (VISITID, INTERNALID, VISITDATE) SELECT VISITID + 100, INTERNALID, GETDATE() FROM VISITS; DELETE FROM VISITS WHERE VISITID = 10".into();
    assert_eq!(run(&mut database, &write).unwrap().1.rows_affected, Some(6));

    write.text = "INSERT INTO VISITS (VISITID) VALUES (1)".into();
    assert_eq!(run(&mut database, &write).unwrap_err().number, 515);
    write.text = "UPDATE PATIENTS SET SURNAME = 'longer than ten' WHERE INTERNALID = 1".into();
    assert_eq!(run(&mut database, &write).unwrap_err().number, 8152);
    write.text = "BEGIN TRAN; DELETE FROM VISITS; SELECT 1 / 0 AS x; COMMIT".into();
    assert_eq!(run(&mut database, &write).unwrap_err().number, 8134);

    let check = command(
        "SELECT (SELECT COUNT(*) FROM VISITS) AS n, SURNAME, BALANCE FROM PATIENTS WHERE INTERNALID = 1",
    );
    assert_eq!(
        run(&mut database, &check).unwrap().0,
        [r#"{"n":9,"SURNAME":"New       ","BALANCE":13.50}"#]
    );
}

#[test]
fn a_denied_table_is_closed_and_its_view_is_not() {
    let mut database = practice();
    database
        .create_view(
            "BPSPatients",
            "BPS_Patients",
            "SELECT INTERNALID AS InternalID, RTRIM(SURNAME) AS Surname FROM PATIENTS",
        )
        .unwrap();
    database.deny("BPSPatients", "patients");

    let error = run(&mut database, &command("SELECT SURNAME FROM PATIENTS")).unwrap_err();
    assert_eq!(error.number, 229);
    assert_eq!(
        error.message,
        "The SELECT permission was denied on the object 'PATIENTS', database 'BPSPatients', schema 'dbo'."
    );
    let seen = run(
        &mut database,
        &command("SELECT Surname FROM BPS_Patients WHERE InternalID = 2"),
    )
    .unwrap()
    .0;
    assert_eq!(seen, [r#"{"Surname":"O'Brien"}"#]);
}

#[test]
fn scalar_and_output_parameters_come_back() {
    let mut database = practice();
    let mut scalar = command("SELECT INTERNALID, SURNAME FROM PATIENTS ORDER BY INTERNALID DESC");
    scalar.mode = Mode::Scalar;
    assert_eq!(
        run(&mut database, &scalar).unwrap().0,
        [r#"{"INTERNALID":3}"#]
    );

    let mut output = command("SET @n = (SELECT COUNT(*) FROM PATIENTS); RETURN 66");
    output.parameters = vec![
        Parameter {
            direction: Direction::Output,
            ..input("@n", "Int", None)
        },
        Parameter {
            direction: Direction::ReturnValue,
            ..input("@r", "Int", None)
        },
    ];
    let values: Vec<Option<String>> = run(&mut database, &output)
        .unwrap()
        .1
        .output
        .into_iter()
        .map(|parameter| parameter.value)
        .collect();
    assert_eq!(values, [Some("3".to_owned()), Some("66".to_owned())]);
}

#[test]
fn a_sink_that_has_enough_stops_the_command() {
    struct One(usize);
    impl RowSink for One {
        fn row(&mut self, _: &[u8]) -> Result<(), Stop> {
            self.0 += 1;
            if self.0 == 3 { Err(Stop) } else { Ok(()) }
        }
    }

    let mut sink = One(0);
    let endless = command(
        "SELECT value FROM GENERATE_SERIES(CAST(1 AS bigint), CAST(9000000000000 AS bigint))",
    );
    let error = practice().run(&endless, &mut sink).unwrap_err();

    assert_eq!((error.number, sink.0), (0, 3));
}

#[test]
fn another_thread_can_interrupt_a_command() {
    let mut database = practice();
    let interrupt = database.interrupt();
    struct Tell(std::sync::mpsc::Sender<()>);
    impl RowSink for Tell {
        fn row(&mut self, _: &[u8]) -> Result<(), Stop> {
            self.0.send(()).map_err(|_| Stop)
        }
    }
    let (sender, first_row) = std::sync::mpsc::channel();

    let worker = std::thread::spawn(move || {
        database.run(
            &command("SELECT value FROM GENERATE_SERIES(CAST(1 AS bigint), CAST(9000000000000 AS bigint))"),
            &mut Tell(sender),
        )
    });
    first_row.recv().unwrap();
    interrupt.interrupt();

    assert_eq!(worker.join().unwrap().unwrap_err().number, -2);
}

#[test]
fn the_server_describes_results_itself() {
    let first = r#"{"is_hidden":false,"column_ordinal":1,"name":"INTERNALID","is_nullable":false,"system_type_id":56,"system_type_name":"int","max_length":4,"precision":10,"scale":0}"#;

    let described = rows(
        "EXEC sp_describe_first_result_set N'SELECT INTERNALID, SURNAME FROM PATIENTS WHERE DOB > @d', N'@d datetime'",
    );
    assert!(described.starts_with(first), "{described}");
    assert_eq!(
        rows(
            "SELECT name, system_type_name AS t, is_nullable AS n FROM sys.dm_exec_describe_first_result_set(N'SELECT SURNAME, N''x'' AS c FROM PATIENTS', NULL, 0) ORDER BY column_ordinal"
        ),
        r#"{"name":"SURNAME","t":"char(10)","n":true} {"name":"c","t":"nvarchar(1)","n":false}"#
    );
    assert_eq!(
        rows("EXEC sp_describe_first_result_set @tsql = N'SELECT NOPE FROM PATIENTS'"),
        "207 Invalid column name 'NOPE'."
    );
    assert_eq!(
        rows(
            "SELECT name, error_number AS e, error_message AS m FROM sys.dm_exec_describe_first_result_set(N'SELECT NOPE FROM PATIENTS', NULL, 0)"
        ),
        r#"{"name":null,"e":207,"m":"Invalid column name 'NOPE'."}"#
    );
}

#[test]
fn parameters_of_every_type_arrive_as_that_type() {
    let cases = [
        ("BigInt", "9223372036854775807", "9223372036854775807"),
        ("Bit", "true", "true"),
        ("Char", "ab", "\"ab\""),
        ("String", "a'b", "\"a'b\""),
        ("Date", "1980-02-29", "\"1980-02-29T00:00:00\""),
        (
            "DateTime",
            "2026-03-01T10:00:00.123",
            "\"2026-03-01T10:00:00.123\"",
        ),
        (
            "DateTime2",
            "2026-03-01T10:00:00.1234567",
            "\"2026-03-01T10:00:00.1234567\"",
        ),
        (
            "DateTimeOffset",
            "2026-03-01T10:00:00+10:00",
            "\"2026-03-01T10:00:00+10:00\"",
        ),
        ("Decimal", "-12.3400", "-12.3400"),
        ("Float", "0.1", "0.1"),
        ("Int", "42", "42"),
        ("Money", "1.5", "1.5000"),
        ("NChar", "é", "\"é\""),
        ("NText", "long", "\"long\""),
        ("NVarChar", "Nguyễn", "\"Nguyễn\""),
        ("Real", "0.1", "0.1"),
        (
            "SmallDateTime",
            "2026-03-01T10:00:00",
            "\"2026-03-01T10:00:00\"",
        ),
        ("SmallInt", "-5", "-5"),
        ("SmallMoney", "2", "2.0000"),
        ("Text", "t", "\"t\""),
        ("Time", "09:30", "\"09:30:00\""),
        ("TinyInt", "255", "255"),
        (
            "UniqueIdentifier",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
            "\"6f9619ff-8b86-d011-b42d-00c04fc964ff\"",
        ),
        ("VarChar", "v", "\"v\""),
        ("Variant", "x", "\"x\""),
        ("Xml", "<a/>", "\"<a/>\""),
    ];
    let mut database = practice();
    for (sql_type, value, expected) in cases {
        let mut command = command("SELECT @p AS v, CASE WHEN @null IS NULL THEN 1 ELSE 0 END AS n");
        command.parameters = vec![
            input("@p", sql_type, Some(value)),
            input("@null", sql_type, None),
        ];
        let rows = run(&mut database, &command).map(|(rows, _)| rows.concat());
        assert_eq!(
            rows,
            Ok(format!("{{\"v\":{expected},\"n\":1}}")),
            "{sql_type}"
        );
    }
}

#[test]
fn a_parameter_that_is_no_value_of_its_type_is_refused_without_repeating_it() {
    let mut command = command("SELECT @p AS v");
    command.parameters = vec![input("@p", "Int", Some("secret"))];

    let error = run(&mut practice(), &command).unwrap_err();

    assert_eq!(error.number, 8114);
    assert!(!error.message.contains("secret"));
}

#[test]
fn text_for_a_parameter_of_bytes_is_refused_as_the_agents_client_refuses_it() {
    const REFUSED: &str = "Failed to convert parameter value from a String to a Byte[].";
    let mut database = practice();
    for sql_type in ["Binary", "VarBinary", "Image", "Timestamp"] {
        let mut command = command("SELECT CASE WHEN @p IS NULL THEN 1 ELSE 0 END AS n");
        command.parameters = vec![input("@p", sql_type, Some("0x41"))];
        let error = run(&mut database, &command).unwrap_err();
        assert_eq!(error.message, REFUSED, "{sql_type}");

        command.parameters = vec![input("@p", sql_type, None)];
        let rows = run(&mut database, &command).map(|(rows, _)| rows.concat());
        assert_eq!(rows, Ok("{\"n\":1}".to_owned()), "{sql_type}");
    }
}

#[test]
fn long_parameters_of_a_procedure_are_refused_as_documented() {
    let call = |sql_type, length| {
        let mut command = command("SomeProcedure");
        command.stored_procedure = true;
        command.parameters = vec![input("@p", sql_type, Some(&"a".repeat(length)))];
        run(&mut practice(), &command).unwrap_err().number
    };

    assert_eq!(call("NVarChar", 4_001), 0);
    assert_eq!(call("VarBinary", 8_001), 0);
    // There is no such procedure here; its parameters would do.
    assert_eq!(call("NVarChar", 4_000), 2812);
    assert_eq!(call("VarBinary", 8_000), 2812);
}
