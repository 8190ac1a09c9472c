use proptest::prelude::*;

use super::*;

fn query(last: u128) -> RemoteQueryId {
    RemoteQueryId(uuid::Uuid::from_u128(last))
}

fn page(number: u32, body: &[u8]) -> Page {
    Page::new(PageNumber(number), Some(2), body.to_vec())
}

fn asked(number: u32) -> RemotePage {
    RemotePage {
        number: PageNumber(number),
        rows: Some(2),
    }
}

/// A result of so many pages of two rows.
fn promised(pages: u32) -> RemoteResult {
    RemoteResult {
        rows: u64::from(pages) * 2,
        size_bytes: 14,
        pages: (1..=pages).map(asked).collect(),
        sql_duration: Some(Duration::from_millis(3)),
    }
}

/// A spool with more room than any test takes, as long as its folder is held.
fn roomy() -> (tempfile::TempDir, Spool) {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 10_000);
    (home, spool)
}

fn kept(spool: &Spool, query: RemoteQueryId) -> Vec<u32> {
    let kept = spool.resume(query, promised(9));
    (1..=9).filter(|page| kept.has(PageNumber(*page))).collect()
}

fn body_of(spool: &Spool, query: RemoteQueryId, number: u32) -> Option<Vec<u8>> {
    let page = spool.resume(query, promised(9)).read(asked(number))?;
    Some(page.body().to_vec())
}

/// Bytes that a page of seven bytes takes, and the promise of nine pages before it.
fn sizes() -> (u64, u64) {
    let (_home, spool) = roomy();
    let mut kept = spool.begin(query(1), promised(9));
    let size = |spool: &Spool| spool.bytes.load(Ordering::Relaxed);
    kept.keep_promise();
    let promise = size(&spool);
    kept.keep(&page(1, b"[{},{}]"));
    (size(&spool) - promise, promise)
}

#[test]
fn pages_come_back_as_they_were_kept() {
    let (_home, spool) = roomy();

    let mut first = spool.begin(query(1), promised(9));
    first.keep(&page(3, b"[{},{}]"));
    first.keep(&page(1, b"[{},{} ]"));
    assert_eq!(first.read(asked(3)).expect("kept").body(), b"[{},{}]");
    first.keep(&page(2, b"[]"));
    drop(first);

    assert_eq!(kept(&spool, query(1)), [1, 2, 3]);
    assert_eq!(body_of(&spool, query(1), 1).expect("kept"), b"[{},{} ]");
    assert_eq!(body_of(&spool, query(1), 2).expect("kept"), b"[]");
    assert_eq!(body_of(&spool, query(1), 3).expect("kept"), b"[{},{}]");
    assert_eq!(body_of(&spool, query(1), 4), None);
    assert_eq!(body_of(&spool, query(2), 3), None);
}

#[test]
fn a_page_for_which_another_number_of_rows_is_declared_now_is_not_used() {
    let (_home, spool) = roomy();
    let mut kept = spool.begin(query(1), promised(9));
    kept.keep(&page(3, b"[{},{}]"));

    let other = RemotePage {
        rows: Some(3),
        ..asked(3)
    };

    assert!(kept.read(other).is_none());
}

#[test]
fn a_page_that_is_kept_once_more_stands_for_the_one_before() {
    let (_home, spool) = roomy();

    spool
        .begin(query(1), promised(9))
        .keep(&page(1, b"[{},{}]"));
    spool
        .resume(query(1), promised(9))
        .keep(&page(1, b"[{},{} ]"));

    assert_eq!(body_of(&spool, query(1), 1).expect("kept"), b"[{},{} ]");
}

#[test]
fn a_result_is_whole_once_every_page_of_it_is_kept() {
    let (_home, spool) = roomy();
    let mut kept = spool.begin(query(1), promised(2));

    kept.keep(&page(1, b"[{},{}]"));
    assert_eq!(spool.whole_result(query(1)), None, "a page is missing");
    kept.keep(&page(2, b"[{},{}]"));

    assert_eq!(spool.whole_result(query(1)), Some(promised(2)));
    assert_eq!(spool.whole_result(query(2)), None);
}

#[test]
fn a_result_without_pages_is_whole_once_its_promise_is_kept() {
    let (_home, spool) = roomy();

    spool.begin(query(1), promised(0)).keep_promise();

    assert_eq!(spool.whole_result(query(1)), Some(promised(0)));
}

#[test]
fn what_is_removed_is_gone_and_its_room_comes_back() {
    let home = tempfile::tempdir().expect("a folder");
    let (page_bytes, promise_bytes) = sizes();
    let spool = Spool::open(home.path(), page_bytes + promise_bytes);
    let mut first = spool.begin(query(1), promised(9));
    assert!(first.is_nothing());
    first.keep(&page(1, b"[{},{}]"));
    assert!(!first.is_nothing());

    first.remove();

    assert_eq!(entries(&home.path().join("spool")).count(), 0);
    assert_eq!(kept(&spool, query(1)), [0; 0]);
    spool
        .begin(query(2), promised(9))
        .keep(&page(1, b"[{},{}]"));
    assert_eq!(kept(&spool, query(2)), [1]);
}

#[test]
fn room_is_shared_by_all_queries() {
    let home = tempfile::tempdir().expect("a folder");
    let (page_bytes, promise_bytes) = sizes();
    let spool = Spool::open(home.path(), 2 * (page_bytes + promise_bytes));
    let mut first = spool.begin(query(1), promised(9));
    let mut second = spool.begin(query(2), promised(9));
    first.keep(&page(1, b"[{},{}]"));
    second.keep(&page(1, b"[{},{}]"));
    second.keep(&page(2, b"[{},{}]"));
    assert!(!second.has(PageNumber(2)), "the third does not fit");

    first.remove();
    second.keep(&page(2, b"[{},{}]"));

    assert!(second.has(PageNumber(2)));
}

#[test]
fn what_lies_there_already_counts() {
    let home = tempfile::tempdir().expect("a folder");
    let (page_bytes, promise_bytes) = sizes();
    let most = page_bytes * 2 + promise_bytes - 1;
    let keep = |number| {
        let spool = Spool::open(home.path(), most);
        let mut kept = spool.resume(query(1), promised(9));
        kept.keep(&page(number, b"[{},{}]"));
    };

    keep(1);
    keep(2);

    assert_eq!(kept(&Spool::open(home.path(), most), query(1)), [1]);
}

#[test]
fn who_comes_second_to_a_file_finds_nothing_and_harms_nothing() {
    let (home, spool) = roomy();
    let mut first = spool.begin(query(1), promised(9));
    first.keep(&page(1, b"[{},{}]"));

    let mut second = Spool::open(home.path(), 10_000).resume(query(1), promised(9));
    assert!(!second.has(PageNumber(1)));
    second.keep(&page(2, b"[{},{}]"));
    first.keep(&page(3, b"[{},{}]"));
    drop((first, second));

    assert_eq!(kept(&spool, query(1)), [1, 3]);
}

#[test]
fn a_sweep_leaves_the_queries_that_are_open() {
    let (home, spool) = roomy();
    for number in [1, 2] {
        let mut kept = spool.begin(query(number), promised(9));
        kept.keep(&page(1, b"[{},{}]"));
    }
    let of_a_former_version = home.path().join("spool").join(query(2).to_string());
    fs::create_dir(&of_a_former_version).expect("made");
    fs::write(of_a_former_version.join("1.page"), "rows").expect("written");

    spool.sweep(|| Ok::<_, ()>(vec![query(2)])).expect("swept");

    assert_eq!(kept(&spool, query(1)), [0; 0]);
    assert_eq!(kept(&spool, query(2)), [1]);
    assert!(!of_a_former_version.exists());
}

#[test]
fn a_disk_that_takes_nothing_keeps_nothing_and_says_no_error() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("spool"), "a file in the way").expect("written");
    let spool = Spool::open(home.path(), 10_000);

    let mut kept = spool.begin(query(1), promised(9));
    kept.keep(&page(1, b"[{},{}]"));

    assert!(!kept.has(PageNumber(1)));
    assert_eq!(spool.bytes.load(Ordering::Relaxed), 0, "the room came back");
}

proptest! {
    #[test]
    fn of_a_file_that_was_cut_or_changed_anywhere_no_other_page_comes_back_and_it_goes_on(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..4),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
        cut in any::<bool>(),
    ) {
        let (_home, spool) = roomy();
        let pages: Vec<Page> = (1..).zip(&bodies).map(|(number, body)| page(number, body)).collect();
        let mut first = spool.begin(query(1), promised(9));
        pages.iter().for_each(|page| first.keep(page));
        drop(first);
        let path = spool.path(query(1));
        let mut bytes = fs::read(&path).expect("kept");
        let place = place.index(bytes.len());
        let last_begins = bytes.len() - HEADER_BYTES - bodies[bodies.len() - 1].len();
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << bit;
        }
        fs::write(&path, bytes).expect("written");

        let mut resumed = spool.resume(query(1), promised(9));
        let mut lost = 0;
        for page in &pages {
            match resumed.read(asked(page.number.0)) {
                Some(read) => prop_assert_eq!(read.body(), page.body()),
                None => lost += 1,
            }
            resumed.keep(page);
        }
        prop_assert!(lost > 0 || place < last_begins);
        drop(resumed);

        for page in &pages {
            prop_assert_eq!(body_of(&spool, query(1), page.number.0), Some(page.body().to_vec()));
        }
    }
}
