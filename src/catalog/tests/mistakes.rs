//! Each mistake in a file, and the exact words in which it is told.

use super::{GOOD, problems, with};

/// Each row: a text of the good file, what stands there instead, and the problems told.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

fn assert_told(mistakes: &[Mistake]) {
    for (from, to, told) in mistakes {
        assert_eq!(problems(&with(from, to)), *told, "`{from}` became `{to}`");
    }
}

#[test]
fn a_key_of_the_header_that_is_wrong_is_told_with_what_to_write() {
    assert_told(&[
        (
            "purpose ",
            "purpos  ",
            &[
                "1:6 the header has no `purpose`; write for example `purpose = \"what the rows are for\"`",
                "2:1 `purpos` is not a key of the header; write `purpose`",
            ],
        ),
        (
            "owner     =",
            "frequency = 1\nowner =",
            &[
                "3:1 `frequency` is not a key of the header; write one of purpose, owner, pms, catalogue, \
                 mode, watermark, overlap, key, cron, measures, opt_out, withheld, cost, freshness, variants, columns",
            ],
        ),
        (
            "\"population-health\"",
            "7",
            &["3:13 `owner` is a number; write it as text: `owner = \"...\"`"],
        ),
        (
            "\"population-health\"",
            "\" \"",
            &["3:13 `owner` is empty; write a text, or remove the key"],
        ),
        (
            "\"best-practice\"",
            "\"bp\"",
            &[
                "4:13 `bp` is not one of best-practice, zedmed, d4w; write for example `best-practice`",
            ],
        ),
        (
            "\"BPSPatients\"",
            "\"BPS.dbo\"",
            &[
                "1:6 `BPS.dbo` is not a database name (a letter, then letters, digits or _); \
               write for example `catalogue = \"BPSPatients\"`",
            ],
        ),
        (
            "\"incremental\"",
            "\"incremantal\"",
            &["6:13 `incremantal` is not a mode; write `incremental`"],
        ),
        (
            "\"incremental\"",
            "\"snapshot\"",
            &[
                "8:13 a snapshot has no overlap: it is the rows of one day; \
                 remove `overlap`, or write `mode = \"incremental\"`",
                "23:41 `@window_start` is not a parameter of a snapshot; use `@snapshot_date`",
                "23:92 `@window_end` is not a parameter of a snapshot; use `@snapshot_date`",
            ],
        ),
        (
            "watermark = \"coalesce(UPDATED, CREATED)\"\n",
            "",
            &["1:6 the header has no `watermark`; \
               write for example `watermark = \"coalesce(UPDATED, CREATED)\"`"],
        ),
        (
            "overlap   = \"2 days\"\n",
            "",
            &["1:6 the header has no `overlap`; write for example `overlap = \"2 days\"`"],
        ),
        (
            "\"2 days\"",
            "\"2 weeks\"",
            &["8:13 `2 weeks` is not a number of days from 0 to 366; \
               write for example `overlap = \"2 days\"`"],
        ),
        (
            "\"36 hours\"",
            "\"soon\"",
            &[
                "13:13 `soon` is not a time in hours or days; write for example `freshness = \"36 hours\"`",
            ],
        ),
        (
            "30 1 * * *",
            "30 25 * * *",
            &[
                "10:13 the cron pattern `30 25 * * *` has `25` where an hour is wanted; \
               write minute, hour, day, month and day of the week, for example `30 1 * * *`",
            ],
        ),
        (
            "[\"QIM 3\", \"QIM 8\"]",
            "\"QIM 3\"",
            &["11:13 `measures` is not a list of texts; write `measures = [\"...\", \"...\"]`"],
        ),
        (
            "opt_out ",
            "# opt_out ",
            &[
                "1:6 the query reads patients and does not say how those who opted out are kept out; \
               filter them in the statement and write `opt_out = \"how\"`",
            ],
        ),
        (
            "owner     = ",
            "owner ",
            &[
                "3:7 the header is not TOML: key with no value, expected `=`; \
               write lines of `key = value`, texts in double quotes, each key once",
            ],
        ),
        (
            "owner     = ",
            "purpose   = ",
            &["3:1 the header is not TOML: duplicate key; \
               write lines of `key = value`, texts in double quotes, each key once"],
        ),
    ]);
}

#[test]
fn a_header_that_is_not_where_it_should_be_is_told() {
    assert_told(&[
        (
            "/*---\n",
            "SELECT 1 /*---\n",
            &["1:1 the file does not begin with a header; \
               write `/*---`, the header's TOML and `---*/` before the statement"],
        ),
        (
            "---*/",
            "",
            &[
                "1:1 the header does not end; write `---*/` on a line of its own after the last column",
            ],
        ),
        (
            "\"as typed\"",
            "\"as /* typed\"",
            &[
                "19:89 the header holds a comment mark, so that SQL Server would read it in another way; \
               take `/*` and `*/` out of the header",
            ],
        ),
    ]);
}

#[test]
fn a_column_that_is_wrong_is_told_with_what_to_write() {
    assert_told(&[
        (
            "type = \"int not null\", class = \"operational\"",
            "",
            &[
                "16:1 column `record_id` has no `type`; write for example `type = \"int not null\"`",
                "16:1 column `record_id` has no `class`; write for example `class = \"clinical\"`",
            ],
        ),
        (
            "{ type = \"int not null\", class = \"operational\" }",
            "\"int\"",
            &["16:14 `record_id` is a text; \
               write `record_id = { type = \"int not null\", class = \"clinical\" }`"],
        ),
        (
            "\"varchar(20)\"",
            "\"string\"",
            &["19:23 `string` is not a SQL Server type; write for example `varchar(40)`"],
        ),
        (
            "\"quasi\"",
            "\"quasy\"",
            &["18:52 `quasy` is not a class; write `quasi`"],
        ),
        (
            "\"day\"",
            "\"dya\"",
            &["18:71 `dya` is not a privacy rule; write `day`"],
        ),
        (
            "trim = true",
            "trimmed = true",
            &["19:58 `trimmed` is not a key of column `value`; \
               write one of type, class, privacy, of, trim, offset, description"],
        ),
        (
            "trim = true",
            "trim = 1",
            &["19:65 `trim` is a number; write `trim = true`, or remove it"],
        ),
        (
            "trim = true",
            "offset = true",
            &[
                "19:1 `value` has `offset` but is `varchar(20)`; remove `offset`: only `datetimeoffset` has one",
            ],
        ),
        (
            "privacy = \"day\"",
            "trim = true",
            &[
                "18:1 `observed` has `trim` but is `datetime`; remove `trim`: it cuts the blanks after text",
            ],
        ),
        (
            "value      = {",
            "_value     = {",
            &[
                "19:1 column `_value` is not in the SELECT; add `... AS _value` to it, or remove its line from `[columns]`",
                "19:1 `_value` is not a column name (a letter, then letters, digits or _); \
                 give the column a plain name with AS; names with _ in front are ours",
                "21:95 column `value` of the SELECT is not in `[columns]`; write `AS _value`",
            ],
        ),
    ]);
}

#[test]
fn what_would_leave_without_a_rule_is_told() {
    assert_told(&[
        (
            ", privacy = \"pseudonym\", of = \"patient\"",
            "",
            &[
                "17:1 `patient_id` is an identifier without a privacy rule; \
               add `privacy = \"pseudonym\", of = \"patient\"` or `privacy = \"drop\"`; `keep` lets it leave",
            ],
        ),
        (
            ", of = \"patient\"",
            "",
            &[
                "17:71 column `patient_id` is a pseudonym of nothing named; \
                 say what it names, for example `of = \"patient\"`",
            ],
        ),
        (
            "of = \"patient\"",
            "of = \"the patient\"",
            &[
                "17:89 `the patient` is not a kind (lower-case letters, digits, _); \
               write for example `of = \"patient\"`",
            ],
        ),
        (
            "privacy = \"day\"",
            "of = \"visit\"",
            &["18:66 column `observed` has `of` but is not a pseudonym; \
               remove `of`, or write `privacy = \"pseudonym\"`"],
        ),
        (
            "\"varchar(20)\"",
            "\"varchar(max)\"",
            &["19:1 `value` is free text (`varchar(max)`); \
               add `privacy = \"drop\"`, or `privacy = \"keep\"` if people's own words must leave"],
        ),
        (
            "\"varchar(20)\"",
            "\"nvarchar(256)\"",
            &["19:1 `value` is free text (`nvarchar(256)`); \
               add `privacy = \"drop\"`, or `privacy = \"keep\"` if people's own words must leave"],
        ),
        (
            "\"datetime not null\"",
            "\"int not null\"",
            &[
                "18:1 the rule `day` wants a date, and `observed` is `int`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
        (
            "privacy = \"day\"",
            "privacy = \"postcode3\"",
            &[
                "18:1 the rule `postcode3` wants a text, and `observed` is `datetime`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
        (
            "\"datetime not null\"",
            "\"datetimeoffset(0) not null\"",
            &[
                "18:1 `observed` is an instant, whose date depends on where it was; \
               add `offset = true`, so that the rule `day` finds the practice's date",
            ],
        ),
        (
            "type = \"int not null\", class = \"identifier\"",
            "type = \"float not null\", class = \"identifier\"",
            &[
                "17:1 the rule `pseudonym of patient` wants a whole number, text or GUID, and `patient_id` is `float`; \
               choose a rule that fits the type, or `privacy = \"drop\"`",
            ],
        ),
    ]);
}

#[test]
fn a_column_that_carries_what_points_at_a_person_is_told() {
    let told = |class: &str, name: &str, instead: &str| {
        format!(
            "19:1 `value` is `{class}` but carries `{name}`, which points at a person; {instead}"
        )
    };
    let pseudonym = |of: &str| {
        format!("write `class = \"identifier\", privacy = \"pseudonym\", of = \"{of}\"`")
    };
    let drop = "leave it out, or write `class = \"identifier\", privacy = \"drop\"`".to_owned();
    for (expression, name, instead) in [
        ("o.InternalID", "InternalID", pseudonym("patient")),
        ("o.USERID", "USERID", pseudonym("provider")),
        ("RTRIM(p.SURNAME) + ', ' + 'Dr'", "SURNAME", drop.clone()),
        (
            "CAST(ISNULL(p.[MEDICARENO], '') AS varchar(20))",
            "MEDICARENO",
            drop.clone(),
        ),
        (
            "CASE WHEN o.VALUE = '' THEN 'x' ELSE p.EMAIL END",
            "EMAIL",
            drop.clone(),
        ),
        ("(SELECT MAX(p.IHI) FROM PATIENTS p)", "IHI", drop.clone()),
        ("HASHBYTES('SHA2_256', p.first_name)", "first_name", drop),
        (
            "CONVERT(varchar(10), p.DOB, 23)",
            "DOB",
            "add `privacy = \"year\"` or `privacy = \"age\"`".to_owned(),
        ),
    ] {
        let text = with("o.VALUE AS value", &format!("{expression} AS value"));
        assert_eq!(
            problems(&text),
            [told("clinical", name, &instead)],
            "{expression}"
        );
    }
    let union = with(
        "ORDER BY o.RECORDID",
        "UNION ALL SELECT 1, 2, p.UPDATED, p.SURNAME FROM PATIENTS p",
    );
    assert_eq!(problems(&union).len(), 1);
}

#[test]
fn what_tells_something_of_a_person_without_the_value_is_no_problem() {
    for expression in [
        "COUNT(DISTINCT o.INTERNALID)",
        "CASE WHEN p.MEDICARENO = '' THEN 'no' ELSE 'yes' END",
        "DATEDIFF(year, p.DOB, @window_end)",
        "LEN(p.SURNAME)",
        "ROW_NUMBER() OVER (PARTITION BY o.INTERNALID ORDER BY o.CREATED)",
    ] {
        let text = with("o.VALUE AS value", &format!("{expression} AS value"));
        assert_eq!(problems(&text), [""; 0], "{expression}");
    }
}

#[test]
fn a_key_that_does_not_identify_rows_is_told() {
    assert_told(&[
        (
            "[\"record_id\"]",
            "[\"recordid\"]",
            &["9:14 the key names `recordid`, which is not in `[columns]`; write `record_id`"],
        ),
        (
            "[\"record_id\"]",
            "[\"record_id\", \"record_id\"]",
            &["9:27 `record_id` is in the key twice; name each column once"],
        ),
        (
            "[\"record_id\"]",
            "[\"value\"]",
            &["9:14 the key names `value`, which may be null; \
               write `not null` in the type of `value`, or take another column"],
        ),
        (
            "class = \"operational\"",
            "class = \"operational\", privacy = \"drop\"",
            &["9:14 the key names `record_id`, which is dropped; \
               give `record_id` the rule `pseudonym`, or take another column"],
        ),
    ]);
}

#[test]
fn a_statement_that_does_more_than_read_is_told() {
    let refused = |place: &str, word: &str| {
        format!(
            "{place} `{word}` has no place in a statement that only reads; \
             write one SELECT, with WITH for what it builds on"
        )
    };
    for (from, to, place, word) in [
        ("FROM OBS", "INTO copy FROM OBS", "22:1", "INTO"),
        (
            "OPTION (MAXDOP 1);",
            "; DELETE FROM OBSERVATIONS",
            "25:3",
            "DELETE",
        ),
        (
            "SELECT o.REC",
            "declare @x int; SELECT o.REC",
            "21:1",
            "declare",
        ),
        (
            "FROM OBS",
            "FROM OPENQUERY(other, 'DROP TABLE x') OBS",
            "22:6",
            "OPENQUERY",
        ),
        ("o.VALUE AS", "NEXT VALUE FOR numbers AS", "21:84", "NEXT"),
    ] {
        let told = problems(&with(from, to));
        assert!(told.contains(&refused(place, word)), "{to}: {told:#?}");
    }
    assert_told(&[
        (
            "OPTION (MAXDOP 1);",
            "; SELECT 1 AS one",
            &["25:3 the file holds more or other than one SELECT; \
               write one SELECT, with WITH for what it builds on"],
        ),
        (
            "OPTION (MAXDOP 1);",
            "FOR JSON AUTO",
            &[
                "21:1 `FOR JSON AUTO` makes one text of all rows; remove it: rows and columns are wanted",
            ],
        ),
        (
            "o.VALUE AS value",
            "o.*",
            &["21:84 `*` returns whatever the table has at each site; \
               name the columns; in EXISTS write `SELECT 1`"],
        ),
        (
            "\nORDER BY o.RECORDID\nOPTION (MAXDOP 1);",
            "\nGO\nGO",
            &[
                "24:1 `GO` is a command of Management Studio and unknown to the server; remove it",
                "25:1 `GO` is a command of Management Studio and unknown to the server; remove it",
            ],
        ),
        (
            "OPTION (MAXDOP 1);",
            "LIMIT 10",
            &["21:1 SQL Server has no `LIMIT`; \
               write `TOP (n)`, or `OFFSET 0 ROWS FETCH NEXT n ROWS ONLY`"],
        ),
        (
            "WHERE ",
            "WHERE ) ",
            &[
                "23:7 the statement does not parse: Expected: an expression, found: ); correct the T-SQL here",
            ],
        ),
        (
            "AS value",
            "AS 'value",
            &[
                "21:95 the statement cannot be read: Unterminated string literal; close the quote or comment",
            ],
        ),
    ]);
}

#[test]
fn a_file_without_a_statement_is_told() {
    let end = GOOD.find("---*/").expect("the header's end") + "---*/".len();
    let told = [
        "1:1 there is no statement after the header; write one SELECT, with WITH for what it builds on",
    ];
    assert!(problems(&GOOD[..end]).contains(&told[0].to_owned()));
    let commented = format!("{}\n-- nothing yet\n", &GOOD[..end]);
    assert!(problems(&commented).contains(&told[0].to_owned()));
}

#[test]
fn parameters_that_are_not_ours_or_not_used_are_told() {
    assert_told(&[
        (
            "@window_start",
            "@window_begin",
            &[
                "1:6 the query is incremental but its statement does not use `@window_start`; \
                 compare the watermark: `>= @window_start AND ... < @window_end`",
                "23:41 `@window_begin` is not a parameter of an incremental query; \
                 use `@window_start` and `@window_end`",
            ],
        ),
        (
            "o.VALUE AS value",
            "@@SERVERNAME AS value",
            &[
                "21:84 `@@SERVERNAME` is not a parameter of an incremental query; \
               use `@window_start` and `@window_end`",
            ],
        ),
    ]);
}

#[test]
fn a_select_list_that_differs_from_the_contract_is_told() {
    assert_told(&[
        (
            "o.OBSDATE AS observed, o.VALUE AS value",
            "o.VALUE AS value, o.OBSDATE AS observed",
            &[
                "21:72 column 3 is `value` in the SELECT and `observed` in `[columns]`; \
               put both in the same order",
            ],
        ),
        (
            ", o.VALUE AS value",
            "",
            &[
                "19:1 column `value` is not in the SELECT; add `... AS value` to it, or remove its line from `[columns]`",
            ],
        ),
        (
            "o.VALUE AS value",
            "RTRIM(o.VALUE)",
            &["21:84 column 4 of the SELECT has no name; write `AS value` after it"],
        ),
        (
            "o.VALUE AS value",
            "o.VALUE AS value, o.UNIT AS unit",
            &["21:112 column `unit` of the SELECT is not in `[columns]`; \
               add a line `unit = { ... }` to `[columns]`, or remove it here"],
        ),
        (
            "o.VALUE AS value",
            "o.VALUE AS value, o.VALUE AS value",
            &["21:113 two columns of the SELECT are named `value`; give each its own name with AS"],
        ),
    ]);
}

#[test]
fn a_count_of_the_withheld_is_one_select_of_that_name_over_the_same_window() {
    const WINDOW: &str = "FROM T t WHERE t.D >= @window_start AND t.D < @window_end";
    let told = |sql: &str| {
        problems(&with(
            "freshness",
            &format!("withheld = \"{sql}\"\nfreshness"),
        ))
    };

    assert_eq!(
        told(&format!("SELECT COUNT(*) AS withheld {WINDOW}")),
        Vec::<String>::new()
    );
    let other_name = "13:12 `withheld`: it does not return one column `withheld`; \
                      write `SELECT COUNT(*) AS withheld FROM ...`";
    assert_eq!(
        told(&format!("SELECT COUNT(*) AS rows {WINDOW}")),
        [other_name]
    );
    assert_eq!(
        told(&format!("SELECT 1 AS withheld, 2 AS rows {WINDOW}")),
        [other_name]
    );
    assert_eq!(
        told("SELECT COUNT(*) AS withheld FROM T t WHERE t.D >= @window_start"),
        [
            "13:12 `withheld`: the query is incremental but its statement does not use `@window_end`; \
          compare the watermark: `>= @window_start AND ... < @window_end`"
        ]
    );
    let deletes = told("DELETE FROM T");
    assert!(
        deletes
            .iter()
            .any(|problem| problem.contains("`withheld`: `DELETE` has no place"))
    );
    assert!(told("SELECT 1 AS withheld; SELECT 2 AS withheld")[0].contains("`withheld`: "));
}
