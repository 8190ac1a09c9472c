use secrecy::ExposeSecret;

use super::*;

fn problems(text: &str, form: Form) -> Vec<String> {
    let (_, problems) = read(text, form);
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn both_forms_say_the_same() {
    let csv = "pms_id,name,time_zone,groups,quiet_hours,extractions_at_once,queries_per_month,queries_off,code\n\
               40123,Red Gum,Australia/Perth,north; trial,20:00-06:00,2,900,visit;patient,ABC123\n";
    let toml = r#"
[[site]]
pms_id = "40123"
name = "Red Gum"
time_zone = "Australia/Perth"
groups = ["north", "trial"]
quiet_hours = "20:00-06:00"
extractions_at_once = 2
queries_per_month = 900
queries_off = ["visit", "patient"]
code = "ABC123"
"#;
    for (text, form, line) in [(csv, Form::Csv, 2), (toml, Form::Toml, 2)] {
        let (entries, problems) = read(text, form);
        assert_eq!(problems, []);
        let [entry] = entries.as_slice() else {
            panic!("{form:?}: {}", entries.len());
        };
        assert_eq!(entry.line, line, "{form:?}");
        assert_eq!(entry.key.as_str(), "s40123");
        assert_eq!(entry.pms_type, PmsType::BestPractice);
        assert_eq!(entry.name.as_deref(), Some("Red Gum"));
        assert_eq!(entry.time_zone, Some(Tz::Australia__Perth));
        assert_eq!(
            entry.groups.as_deref(),
            Some(["north".to_owned(), "trial".to_owned()].as_slice())
        );
        assert_eq!(entry.quiet_hours, "20:00-06:00".parse().ok());
        assert_eq!(entry.extractions_at_once, Some(2));
        assert_eq!(entry.queries_per_month, Some(900));
        let off = entry.queries_off.as_ref().expect("queries");
        assert_eq!(off.len(), 2);
        let code = entry.code.as_ref().expect("a code");
        assert_eq!(code.expose_secret(), "ABC123");
    }
}

#[test]
fn what_is_not_said_is_not_there() {
    let (entries, problems) = read("pms_id,name,groups,code\n40123,,,\n", Form::Csv);
    assert_eq!(problems, []);

    let entry = &entries[0];
    assert_eq!(entry.name, None);
    assert_eq!(entry.groups, None);
    assert!(entry.code.is_none());
}

#[test]
fn every_problem_is_told_with_its_line() {
    let csv = "pms_id,time_zone,quiet_hour,extractions_at_once,queries_off\n\
               40123,Sydney,,0,\n\
               ,,,1,visit\n\
               40124,,,x,Visit\n\
               40123,,,,\n\
               1,2\n";

    let found = problems(csv, Form::Csv);

    for part in [
        "line 1: there is no column `quiet_hour`; did you mean `quiet_hours`?",
        "line 2: `time_zone`: `Sydney` is no time zone",
        "line 2: `extractions_at_once` is at least 1",
        "line 3: `pms_id` is missing",
        "line 4: `extractions_at_once`: invalid digit",
        "line 4: `queries_off`: `Visit` is not",
        "line 5: s40123 stands on line 2 already",
        "line 6: it has 2 cells, and the first line has 5",
    ] {
        assert!(
            found.iter().any(|problem| problem.starts_with(part)),
            "{part}: {found:#?}"
        );
    }
    // And the unknown column on each of the four lines that fill it or not.
    let unknown = found
        .iter()
        .filter(|problem| problem.contains("quiet_hour"));
    assert_eq!(found.len(), 7 + unknown.count(), "{found:#?}");
}

#[test]
fn an_unknown_column_names_the_nearest() {
    assert_eq!(
        problems("pms_id,quiet_hour\n1,20:00-06:00\n", Form::Csv),
        ["line 1: there is no column `quiet_hour`; did you mean `quiet_hours`?"]
    );
    assert_eq!(
        problems(
            "[[site]]\npms_id = \"1\"\nzone = \"x\"\nname = true\n",
            Form::Toml
        )
        .len(),
        2
    );
}

#[test]
fn a_toml_file_that_cannot_be_read_shows_no_code() {
    let text = "[[site]]\npms_id = \"1\"\ncode = \"CANARY\" oops\n";

    let found = problems(text, Form::Toml);

    assert!(found[0].starts_with("line 3: "), "{found:?}");
    assert!(!found[0].contains("CANARY"), "{found:?}");
}
