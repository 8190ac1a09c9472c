use chrono::NaiveDate;

use super::*;

fn at(day: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 1, day)
        .and_then(|day| day.and_hms_milli_opt(9, 30, 5, 7))
        .expect("an instant")
}

#[test]
fn a_row_changes_when_it_is_made_and_again_when_it_is_edited() {
    let mut audit = Audit::new(at(1), -3);
    assert_eq!(audit.changed(), at(1));

    audit.edit(at(2), 4);

    assert_eq!((audit.changed(), audit.created), (at(2), at(1)));
    assert!(audit.is_live());
}

#[test]
fn a_deleted_row_stays_and_counts_as_changed() {
    let mut audit = Audit::new(at(1), 3);

    audit.delete(at(3), 4);

    assert_eq!(audit.record_status, DELETED);
    assert_eq!(audit.changed(), at(3));
}

#[test]
fn a_date_has_midnight_and_an_instant_keeps_its_thousandths() {
    assert_eq!(
        at(1).date().into_value(),
        Value::Text("2026-01-01T00:00:00".into())
    );
    assert_eq!(
        at(1).into_value(),
        Value::Text("2026-01-01T09:30:05.007".into())
    );
    assert_eq!(None::<NaiveDate>.into_value(), Value::Null);
}
