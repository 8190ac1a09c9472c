//! Whatever the page: the converter accepts what the reference accepts, with the same cells, and no more.

use proptest::prelude::*;
use proptest::sample::select;

use super::build::converter;
use super::pages::{anything, every_type, page};
use super::reference::{cells, cells_of};
use crate::domain::{Contract, PageNumber};

/// Pushes the pages in turn; each must be accepted or refused as the reference does, and what comes out
/// must be the rows of all accepted ones.
fn agree(contract: &Contract, pages: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let mut converter = converter(contract);
    let mut expected = Vec::new();
    for (i, page) in pages.iter().enumerate() {
        let shown = String::from_utf8_lossy(page);
        let pushed = converter.push_page(PageNumber(i as u32 + 1), page);
        match (cells(contract, page), pushed) {
            (Ok(rows), Ok(count)) => {
                prop_assert_eq!(rows.len() as u64, count);
                expected.extend(rows);
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "refused a sound page {}: {}", shown, error),
            (Err(why), Ok(_)) => prop_assert!(false, "accepted {}: {}", shown, why),
        }
    }
    let actual = converter.finish().as_ref().map_or_else(Vec::new, cells_of);
    prop_assert_eq!(actual, expected);
    Ok(())
}

fn bytes(pages: Vec<String>) -> Vec<Vec<u8>> {
    pages.into_iter().map(String::into_bytes).collect()
}

/// One change to the bytes of a page.
#[derive(Debug, Clone)]
enum Mutation {
    Set(usize, u8),
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn mutation() -> BoxedStrategy<Mutation> {
    let place = || 0..4096_usize;
    let length = || 1..40_usize;
    let mark = select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "0",
        "1",
        ".",
        "e",
        "-",
        " ",
        "\n",
        "null",
        "\u{e9}",
        "\"ID0\":1,",
        ",\"x\":[]",
    ]);
    prop_oneof![
        (
            place(),
            prop_oneof![any::<u8>(), select(b"\"\\{}[],:0189.eE-+tTzZ \n".to_vec())]
        )
            .prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (place(), mark).prop_map(|(at, mark)| Mutation::Insert(at, mark)),
        (place(), length()).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (place(), length()).prop_map(|(at, length)| Mutation::Repeat(at, length)),
    ]
    .boxed()
}

fn mutate(page: &mut Vec<u8>, mutation: &Mutation) {
    if page.is_empty() {
        return;
    }
    let size = page.len();
    let range = |at: usize, length: usize| at % size..(at % size + length).min(size);
    match *mutation {
        Mutation::Set(at, byte) => page[at % size] = byte,
        Mutation::Insert(at, mark) => {
            page.splice(at % size..at % size, mark.bytes());
        }
        Mutation::Remove(at, length) => {
            page.drain(range(at, length));
        }
        Mutation::Repeat(at, length) => {
            let part = page[range(at, length)].to_vec();
            page.splice(at % size..at % size, part);
        }
    }
}

/// `PROPTEST_CASES` asks for a longer search than each test run can afford.
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES");
    asked
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(96)))]

    #[test]
    fn pages_of_fitting_values_give_the_cells_of_the_reference((contract, pages) in page(0)) {
        agree(&contract, &bytes(pages))?;
    }

    #[test]
    fn pages_with_odd_and_wrong_values_are_judged_as_the_reference_judges((contract, pages) in page(2)) {
        agree(&contract, &bytes(pages))?;
    }

    #[test]
    fn mutated_pages_are_judged_as_the_reference_judges(
        (contract, pages) in page(0),
        mutations in proptest::collection::vec(mutation(), 1..3),
    ) {
        let mut pages = bytes(pages);
        for mutation in &mutations {
            mutate(&mut pages[0], mutation);
        }
        agree(&contract, &pages)?;
    }

    #[test]
    fn cut_pages_are_refused((contract, pages) in page(0), at in any::<proptest::sample::Index>()) {
        let mut page = pages[0].clone().into_bytes();
        page.truncate(at.index(page.len()));
        agree(&contract, &[page])?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(1024)))]

    #[test]
    fn one_value_of_any_kind_is_judged_as_the_reference_judges(index in 0..28_usize, json in anything()) {
        let mut contract = every_type();
        let mut column = contract.columns.swap_remove(index);
        column.name = "v".to_owned();
        contract.columns = vec![column];
        agree(&contract, &[format!("[{{\"v\":{json}}}]").into_bytes()])?;
    }
}
