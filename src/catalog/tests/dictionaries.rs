//! The data dictionary of a folder.

use super::folders::read;
use super::{GOOD, with};
use crate::catalog::dictionary::Dictionary;

fn dictionary() -> Dictionary {
    let second = with("varchar(20)", "varchar(40)").replace("as typed", "as typed, | and\\nall");
    let catalog = read(&[
        ("observation/v1.sql", GOOD),
        ("observation/v2.sql", &second),
    ]);
    Dictionary::of(&catalog.expect("a catalog"))
}

#[test]
fn the_markdown_dictionary_describes_the_current_version() {
    assert_eq!(
        dictionary().to_markdown(),
        "\
# Data dictionary

Made from the headers of the query files: do not edit.

- [observation](#observation): Recorded measurements

## observation

Recorded measurements

- Version: v2 (older: v1)
- Grain: one row for each record_id of a site, that was made or changed within the window
- Owner: population-health
- Watermark: coalesce(UPDATED, CREATED)
- Runs: `30 1 * * *` in the site's time zone
- Measures: QIM 3, QIM 8
- Opt-out: joins PATIENTS and takes those with no opt-out

| column | type | class | written | meaning |
|---|---|---|---|---|
| record_id | `int not null` | operational | as it is |  |
| patient_id | `int not null` | identifier | pseudonym of the patient, 32 hex digits |  |
| observed | `datetime not null` | quasi | its day |  |
| value | `varchar(40)` | clinical | without trailing blanks | as typed, \\| and all |
"
    );
}

#[test]
fn the_json_dictionary_has_every_version() {
    let json = serde_json::to_value(dictionary()).expect("JSON");

    let versions: Vec<_> = json["queries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["version"].as_str(), entry["current"].as_bool()))
        .collect();
    assert_eq!(
        versions,
        [(Some("v1"), Some(false)), (Some("v2"), Some(true))]
    );
    let entry = &json["queries"][0];
    assert_eq!(entry["mode"], "incremental");
    assert_eq!(entry["overlap_days"], 2);
    assert_eq!(entry["freshness_hours"], 36);
    assert_eq!(entry["fingerprint"].as_str().map(str::len), Some(64));
    assert_eq!(
        entry["columns"][1],
        serde_json::json!({
            "name": "patient_id",
            "type": "int not null",
            "class": "identifier",
            "privacy": "pseudonym",
            "written": "pseudonym of the patient, 32 hex digits",
            "description": null,
        })
    );
}
