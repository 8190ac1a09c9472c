//! What changes a fingerprint and what does not.

use super::{GOOD, query, with};

#[test]
fn what_people_and_the_schedule_read_does_not_change_the_fingerprint() {
    let before = query(GOOD).fingerprint;
    for text in [
        GOOD.replace('\n', "\r\n"),
        GOOD.replace(", o.", ",\n\t-- the next one\n  o."),
        with(
            "FROM OBSERVATIONS o",
            "FROM /* all /* of */ them */ OBSERVATIONS   o",
        ),
        with("Recorded measurements", "Measurements"),
        with("population-health", "analysts"),
        with("30 1 * * *", "45 2 * * *"),
        with("\"QIM 8\"", "\"QIM 9\""),
        with("as typed", "as it was typed"),
        with("36 hours", "2 days"),
        with(
            "freshness",
            "withheld = \"SELECT 1 AS withheld WHERE @window_start < @window_end\"\nfreshness",
        ),
        with(
            "watermark = \"coalesce(UPDATED, CREATED)\"",
            "watermark = \"UPDATED\"",
        ),
        with("type = \"int not null\"", "type = \"INTEGER NOT NULL\""),
    ] {
        assert_eq!(query(&text).fingerprint, before, "{text}");
    }
}

#[test]
fn whatever_changes_the_rows_changes_the_fingerprint() {
    let mut fingerprints = vec![query(GOOD).fingerprint];
    for (from, to) in [
        ("o.OBSDATE AS", "o.CREATED AS"),
        ("MAXDOP 1", "MAXDOP 2"),
        ("< @window_end", "<= @window_end"),
        ("o.VALUE AS value", "'a  b' AS value"),
        ("o.VALUE AS value", "'a b' AS value"),
        ("o.VALUE AS value", "'A b' AS value"),
        ("2 days", "3 days"),
        ("BPSPatients", "BPSSamples"),
        ("[\"record_id\"]", "[\"patient_id\", \"record_id\"]"),
        ("varchar(20)", "varchar(21)"),
        ("datetime not null", "datetime"),
        ("\"quasi\"", "\"clinical\""),
        ("\"day\"", "\"month\""),
        ("of = \"patient\"", "of = \"person\""),
        (", trim = true", ""),
    ] {
        fingerprints.push(query(&with(from, to)).fingerprint);
    }
    let count = fingerprints.len();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), count);
}

/// The value was computed with Python's `hashlib` over the text that `fingerprint.rs` describes. Ledgers
/// keep it: it may never change.
#[test]
fn the_fingerprint_of_a_query_is_the_same_for_ever() {
    let text = "/*---\npurpose = \"p\"\nowner = \"o\"\npms = \"best-practice\"\nmode = \"snapshot\"\n\
                [columns]\nname = { type = \"char(4) not null\", class = \"clinical\", trim = true }\n\
                ---*/\nSELECT 'it''s \n' + [a]]b].\"c d\" AS name -- done\n";
    assert_eq!(
        query(text).fingerprint.to_string(),
        "0651f2e3cf67c937cee322fb57cb56c382114cdaf9bbd43cc4007504eaa47ebc"
    );
}
