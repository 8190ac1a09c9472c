//! What a good file becomes, and that no text does harm.

use std::time::Duration;

use proptest::prelude::*;

use super::{GOOD, check, file, problems, query, with};
use crate::catalog::contract_text::columns_block;
use crate::catalog::describe::{DescribedColumn, propose};
use crate::domain::{Class, Mode, PmsType, Rule, SqlType};

#[test]
fn a_good_file_becomes_a_query() {
    let query = query(GOOD);

    assert_eq!(query.id.to_string(), "observation@v1");
    assert_eq!(query.pms, PmsType::BestPractice);
    assert_eq!(query.catalogue.as_deref(), Some("BPSPatients"));
    assert_eq!(query.mode, Mode::Incremental { overlap_days: 2 });
    assert_eq!(query.key, ["record_id"]);
    assert_eq!(query.measures, ["QIM 3", "QIM 8"]);
    assert_eq!(query.freshness, Some(Duration::from_secs(36 * 60 * 60)));
    assert!(query.sql.starts_with("SELECT o.RECORDID"));
    assert!(query.sql.ends_with("OPTION (MAXDOP 1);"));
    let columns = &query.contract.columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["record_id", "patient_id", "observed", "value"]);
    assert_eq!(columns[1].class, Class::Identifier);
    assert_eq!(
        columns[1].rule,
        Some(Rule::Pseudonym {
            kind: "patient".to_owned()
        })
    );
    assert_eq!(columns[2].sql_type, SqlType::DateTime);
    assert!(!columns[2].nullable && columns[3].nullable);
    assert!(columns[3].trim && !columns[2].trim);
    assert_eq!(columns[3].description.as_deref(), Some("as typed"));
}

#[test]
fn what_may_stand_before_the_header_or_be_written_otherwise_is_no_problem() {
    for text in [
        format!("\u{feff}\r\n-- Licence: see LICENSE.\r\n{GOOD}"),
        GOOD.replace('\n', "\r\n"),
        with("int not null", "INT  NOT NULL"),
        with("varchar(20)", "varchar(20) null"),
        with("o.VALUE AS value", "value = o.VALUE"),
        with("o.VALUE AS value", "o.value"),
        with(
            "FROM OBSERVATIONS o WITH (NOLOCK)",
            "FROM OBSERVATIONS o INNER JOIN PATIENTS p ON p.INTERNALID = o.INTERNALID",
        ),
        with(
            "SELECT o.REC",
            "WITH recent AS (SELECT RECORDID FROM OBSERVATIONS) SELECT o.REC",
        ),
        with(
            "WHERE ",
            "WHERE o.[UPDATE] = 1 AND EXISTS (SELECT 1 FROM PATIENTS p) AND ",
        ),
        with("OPTION (MAXDOP 1)", "OFFSET 0 ROWS FETCH NEXT 10 ROWS ONLY"),
        with(
            "o.VALUE AS value",
            "STUFF((SELECT ',' + x.N FROM X x FOR XML PATH('')), 1, 1, '') AS value",
        ),
        with(
            "WITH (NOLOCK)",
            "OUTER APPLY (SELECT TOP 1 v.D FROM V v WHERE v.I = o.I ORDER BY v.D DESC) AS v",
        ),
        with("FROM OBSERVATIONS o", "FROM BPSPatients.dbo.OBSERVATIONS o"),
        with("MAXDOP 1", "MERGE JOIN, MAXDOP 1"),
        with(
            "ORDER BY o.RECORDID",
            "UNION ALL SELECT 1, 2, '2026-01-01', 'x' -- INTO nowhere",
        ),
    ] {
        assert_eq!(problems(&text), [""; 0], "{text}");
    }
}

#[test]
fn a_contract_printed_as_a_header_reads_back_the_same() {
    let mut contract = query(GOOD).contract;
    contract.columns[0].description = Some("a \"quoted\"\nline with \\ and 'more'".to_owned());
    contract.columns[3].rule = Some(Rule::Keep);
    let (start, end) = (GOOD.find("[columns]"), GOOD.find("---*/"));
    let (start, end) = (start.expect("[columns]"), end.expect("the header's end"));

    let text = GOOD.replace(&GOOD[start..end], &columns_block(&contract.columns));

    assert_eq!(query(&text).contract, contract);
}

#[test]
fn whatever_is_proposed_for_a_result_has_no_problems() {
    let types = [
        "bit",
        "tinyint",
        "int",
        "bigint",
        "decimal(9,2)",
        "numeric(9)",
        "money",
        "real",
        "float",
        "date",
        "time(3)",
        "smalldatetime",
        "datetime",
        "datetime2(7)",
        "datetimeoffset(0)",
        "char(4)",
        "varchar(max)",
        "text",
        "nchar(4)",
        "nvarchar(300)",
        "xml",
        "uniqueidentifier",
        "binary(8)",
        "varbinary(max)",
        "image",
        "timestamp",
    ];
    for name in [
        "INTERNALID",
        "USERID",
        "SURNAME",
        "DOB",
        "VISITID",
        "RESULT",
    ] {
        for type_name in types {
            let described = DescribedColumn {
                name: Some(name.to_owned()),
                type_name: type_name.to_owned(),
                nullable: false,
            };
            let text = format!(
                "/*---\npurpose = \"p\"\nowner = \"o\"\npms = \"best-practice\"\nmode = \"snapshot\"\n\
                 opt_out = \"filtered\"\n{}---*/\nSELECT t.{name} FROM T t",
                propose(&[described], None).expect("a proposal")
            );
            assert_eq!(problems(&text), [""; 0], "{text}");
        }
    }
}

#[test]
fn a_snapshot_uses_its_date_or_nothing() {
    let (start, end) = (
        GOOD.find("WHERE").expect("WHERE"),
        GOOD.find("ORDER BY").expect("ORDER BY"),
    );
    let snapshot = GOOD
        .replace(&GOOD[start..end], "")
        .replace("\"incremental\"", "\"snapshot\"")
        .replace("overlap   = \"2 days\"\n", "");

    assert_eq!(query(&snapshot).mode, Mode::Snapshot);
    let dated = snapshot.replace("ORDER BY", "WHERE o.CREATED < @snapshot_date ORDER BY");
    assert_eq!(query(&dated).mode, Mode::Snapshot);
    let windowed = snapshot.replace("ORDER BY", "WHERE o.CREATED < @window_end ORDER BY");
    assert_eq!(
        problems(&windowed),
        ["22:19 `@window_end` is not a parameter of a snapshot; use `@snapshot_date`"]
    );
}

#[test]
fn a_very_long_sum_neither_overflows_the_stack_nor_passes() {
    let sum = |terms: usize| with("o.VALUE AS", &format!("{} AS", vec!["1"; terms].join("+")));
    assert_eq!(problems(&sum(9_000)), [""; 0]);
    assert!(problems(&sum(20_000))[0].contains("more than 20000"));
    let nested = with(
        "o.VALUE AS",
        &format!("{}1{} AS", "(".repeat(9_000), ")".repeat(9_000)),
    );
    assert!(problems(&nested)[0].contains("does not parse"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|(?s).{0,200}") {
        let _ = check(&file(), &text);
    }

    #[test]
    fn a_damaged_file_is_read_without_a_panic(
        at in 0..GOOD.len(),
        length in 0_usize..40,
        put in "|[\\PC]{0,8}|/\\*|---\\*/|'|\"|\\[|\\]|\\(|\\)|OPTION \\(|--|@",
    ) {
        let end = (at + length).min(GOOD.len());
        let _ = check(&file(), &format!("{}{put}{}", &GOOD[..at], &GOOD[end..]));
    }

    #[test]
    fn blanks_between_words_do_not_change_the_fingerprint(blank in "[ \t\r\n]{1,6}") {
        let spaced = GOOD.replace(", o.", &format!(",{blank}o."));
        prop_assert_eq!(query(&spaced).fingerprint, query(GOOD).fingerprint);
    }
}
