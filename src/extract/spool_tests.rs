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

fn body_of(spool: &Spool, query: RemoteQueryId, number: u32) -> Option<Vec<u8>> {
    let page = spool.read(query, asked(number))?;
    Some(page.body().to_vec())
}

#[test]
fn a_page_comes_back_as_it_was_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 1_000);

    spool.keep(query(1), &page(3, b"[{},{}]"));

    assert_eq!(spool.kept(query(1)), BTreeSet::from([PageNumber(3)]));
    assert_eq!(body_of(&spool, query(1), 3).expect("kept"), b"[{},{}]");
    assert_eq!(body_of(&spool, query(2), 3), None);
}

#[test]
fn a_page_for_which_another_number_of_rows_is_declared_now_is_not_used() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 1_000);
    spool.keep(query(1), &page(3, b"[{},{}]"));

    let other = RemotePage {
        rows: Some(3),
        ..asked(3)
    };

    assert!(spool.read(query(1), other).is_none());
}

#[test]
fn a_result_is_whole_once_every_page_of_it_is_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 1_000);
    let promised = RemoteResult {
        rows: 4,
        size_bytes: 14,
        pages: vec![asked(1), asked(2)],
        sql_duration: Some(Duration::from_millis(3)),
    };

    spool.keep(query(1), &page(1, b"[{},{}]"));
    assert_eq!(spool.whole_result(query(1)), None, "nothing was promised");
    spool.keep_result(query(1), &promised);
    assert_eq!(spool.whole_result(query(1)), None, "a page is missing");
    spool.keep(query(1), &page(2, b"[{},{}]"));

    assert_eq!(spool.whole_result(query(1)), Some(promised));
    assert_eq!(spool.whole_result(query(2)), None);
}

#[test]
fn the_only_page_of_a_result_is_kept_alone_and_is_the_whole_result() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), HEADER_BYTES as u64 + 7);

    spool.keep_only(query(1), &page(1, b"[{},{}]"));

    assert_eq!(spool.kept(query(1)), BTreeSet::from([PageNumber(1)]));
    assert_eq!(body_of(&spool, query(1), 1).expect("kept"), b"[{},{}]");
    let whole = spool.whole_result(query(1)).expect("whole");
    assert_eq!((whole.rows, whole.pages), (2, vec![asked(1)]));
    assert_eq!(entries(&home.path().join("spool")).count(), 1);
    spool.sweep(|| Ok::<_, ()>(vec![query(1)])).expect("swept");
    assert_eq!(spool.kept(query(1)).len(), 1, "its query is open");

    spool.remove(query(1));

    assert_eq!(entries(&home.path().join("spool")).count(), 0);
    spool.keep_only(query(2), &page(1, b"[{},{}]"));
    assert_eq!(spool.kept(query(2)).len(), 1, "the room came back");
    spool.sweep(|| Ok::<_, ()>(Vec::new())).expect("swept");
    assert_eq!(entries(&home.path().join("spool")).count(), 0);
}

#[test]
fn room_is_shared_by_all_queries_and_comes_back_when_one_is_removed() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 2 * (HEADER_BYTES as u64 + 7));
    spool.keep(query(1), &page(1, b"[{},{}]"));
    spool.keep(query(2), &page(1, b"[{},{}]"));
    spool.keep(query(2), &page(2, b"[{},{}]"));
    assert!(spool.kept(query(2)).len() == 1, "the third does not fit");

    spool.remove(query(1));
    spool.keep(query(2), &page(2, b"[{},{}]"));

    assert_eq!(spool.kept(query(1)).len(), 0);
    assert_eq!(spool.kept(query(2)).len(), 2);
}

#[test]
fn what_lies_there_already_counts() {
    let home = tempfile::tempdir().expect("a folder");
    Spool::open(home.path(), 100).keep(query(1), &page(1, b"[{},{}]"));

    let reopened = Spool::open(home.path(), 100);
    reopened.keep(query(1), &page(2, b"[{},{}]"));

    assert_eq!(reopened.kept(query(1)), BTreeSet::from([PageNumber(1)]));
}

#[test]
fn a_sweep_leaves_the_queries_that_are_open() {
    let home = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(home.path(), 1_000);
    spool.keep(query(1), &page(1, b"[{},{}]"));
    spool.keep(query(2), &page(1, b"[{},{}]"));

    spool.sweep(|| Ok::<_, ()>(vec![query(2)])).expect("swept");

    assert_eq!(spool.kept(query(1)).len(), 0);
    assert_eq!(spool.kept(query(2)).len(), 1);
}

#[test]
fn a_disk_that_takes_nothing_keeps_nothing_and_says_no_error() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("spool"), "a file in the way").expect("written");
    let spool = Spool::open(home.path(), 1_000);

    spool.keep(query(1), &page(1, b"[{},{}]"));

    assert_eq!(spool.kept(query(1)).len(), 0);
    assert_eq!(body_of(&spool, query(1), 1), None);
}

proptest! {
    #[test]
    fn a_file_that_was_cut_or_changed_anywhere_is_not_used(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let home = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(home.path(), 1_000);
        spool.keep(query(1), &page(1, &body));
        let path = spool.path(query(1), PageNumber(1));
        let whole = fs::read(&path).expect("kept");
        let place = place.index(whole.len());

        let mut changed = whole.clone();
        changed[place] ^= 1 << bit;
        fs::write(&path, changed).expect("written");
        prop_assert_eq!(body_of(&spool, query(1), 1), None);
        fs::write(&path, &whole[..place]).expect("written");
        prop_assert_eq!(body_of(&spool, query(1), 1), None);
    }
}
