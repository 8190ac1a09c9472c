//! How rows may be written, and what it costs: a spelling is read slowly once and then predicted.

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;

use super::build::{contract, converter};
use crate::convert::Converter;
use crate::domain::PageNumber;

/// A page of the rows `1`, `2` … `rows`, each written as `row` with `#` replaced by its number.
fn page(row: &str, separator: &str, rows: usize) -> String {
    let rows: Vec<String> = (1..=rows)
        .map(|i| row.replace('#', &i.to_string()))
        .collect();
    format!("[{}]", rows.join(separator))
}

fn push(converter: &mut Converter, page: &str) {
    converter
        .push_page(PageNumber(1), page.as_bytes())
        .expect(page);
}

#[test]
fn rows_as_the_api_writes_them_are_all_predicted() {
    let contract = contract(&[
        ("INTERNALID", "int"),
        ("A_NAME_THAT_IS_LONGER_THAN_ONE_WORD", "int"),
        ("z", "int"),
    ]);
    let mut converter = converter(&contract);
    for _ in 0..3 {
        let row = "{\"INTERNALID\":#,\"A_NAME_THAT_IS_LONGER_THAN_ONE_WORD\":null,\"z\":-#}";
        push(&mut converter, &page(row, ",", 10));
    }
    assert_eq!((converter.rows(), converter.slow_rows()), (30, 0));
}

#[test]
fn another_spelling_is_learnt_from_its_first_rows() {
    for (row, separator) in [
        ("{\"b\":#,\"a\":#}", ","),
        ("{\"a\": #, \"b\": #}", ", "),
        ("\n  {\n    \"a\" : #,\n    \"b\" : #\n  }", ","),
        ("{\"\\u0061\":#,\"b\":#}", ","),
    ] {
        let contract = contract(&[("a", "int"), ("b", "int")]);
        let mut converter = converter(&contract);
        for _ in 0..2 {
            push(&mut converter, &page(row, separator, 50));
        }
        assert!(
            converter.slow_rows() <= 2,
            "{row}: {}",
            converter.slow_rows()
        );

        let batch = converter.finish().expect("rows");
        let expected: Vec<i32> = (1..=50).chain(1..=50).collect();
        for column in 0..2 {
            assert_eq!(
                batch.column(column).as_primitive::<Int32Type>().values(),
                &expected
            );
        }
    }
}

#[test]
fn rows_of_changing_spelling_all_arrive() {
    let contract = contract(&[("a", "int"), ("b", "int")]);
    let mut converter = converter(&contract);
    push(
        &mut converter,
        r#"[{"a":1,"b":2},{"b":4,"a":3},{"b":6,"a":5} , {"a":7,"b":8},{"a":9, "b":10}]"#,
    );
    let batch = converter.finish().expect("rows");
    assert_eq!(
        batch.column(0).as_primitive::<Int32Type>().values(),
        &[1, 3, 5, 7, 9]
    );
    assert_eq!(
        batch.column(1).as_primitive::<Int32Type>().values(),
        &[2, 4, 6, 8, 10]
    );
}

#[test]
fn a_first_row_in_another_order_does_not_mislead_the_second() {
    let contract = contract(&[("a", "int"), ("b", "int")]);
    let mut converter = converter(&contract);
    push(
        &mut converter,
        r#"[{"b":2,"a":1},{"a":3,"b":4},{"a":5,"b":6}]"#,
    );
    push(&mut converter, r#"[{"a":7,"b":8},{"b":10,"a":9}]"#);
    let batch = converter.finish().expect("rows");
    let values = |column: usize| batch.column(column).as_primitive::<Int32Type>().values();
    assert_eq!(values(0), &[1, 3, 5, 7, 9]);
    assert_eq!(values(1), &[2, 4, 6, 8, 10]);
}

#[test]
fn a_batch_is_taken_once_enough_rows_are_there_and_the_rest_at_the_end() {
    let contract = contract(&[("a", "int")]);
    let mut converter = Converter::new(&super::build::query(), &contract, 15);
    let rows = page("{\"a\":#}", ",", 10);

    push(&mut converter, &rows);
    assert_eq!(converter.take_batch(), None);
    push(&mut converter, &rows);
    assert_eq!(
        converter.take_batch().map(|batch| batch.num_rows()),
        Some(20)
    );
    push(&mut converter, &rows);
    assert_eq!(converter.take_batch(), None);
    assert_eq!(converter.finish().map(|batch| batch.num_rows()), Some(10));
    assert_eq!(converter.finish(), None);
    assert_eq!(converter.rows(), 30);
}
