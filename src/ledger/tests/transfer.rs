use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;
use crate::ledger::{Imported, LedgerErrorKind};

const ONE: &str = "s1/visit@v1/2026-11-17..2026-11-18";
const OTHER: &str = "s1/visit@v1/2026-11-18..2026-11-19";

/// A ledger with one object and one extraction at work, and its export.
fn exported() -> (Home, PathBuf) {
    let home = Home::with_sites();
    home.plan(&[ONE, OTHER]);
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:05");
    home.run_up_to_record("02:10");
    let file = home.folder.path().join("export.sqlite");
    let written = home.ledger.export(&file, &change("state export"));
    assert_eq!(
        written.expect("an export"),
        std::fs::metadata(&file).expect("there").len()
    );
    (home, file)
}

fn import(file: &Path, folder: &TempDir) -> Result<Imported, LedgerErrorKind> {
    let place = folder.path().join("new/ledger.sqlite");
    let change = change("state import");
    let imported = Ledger::import(file, &place, Environment::Simulator, &change);
    imported.map_err(|error| error.kind)
}

fn new_home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// What lies in the folder of an import.
fn left(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path().join("new"));
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn an_imported_ledger_holds_what_was_exported_and_goes_on_with_what_was_at_work() {
    let (home, file) = exported();
    let folder = new_home();

    let imported = import(&file, &folder).expect("an import");

    assert_eq!(
        (
            imported.sites,
            imported.extractions,
            imported.claims_given_back
        ),
        (2, 2, 1)
    );
    assert_eq!(left(&folder), ["ledger.sqlite"]);
    let path = folder.path().join("new/ledger.sqlite");
    let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");
    let read = |ledger: &Ledger| ledger.extraction(&extraction(ONE)).expect("read");
    assert_eq!(read(&ledger), read(&home.ledger));
    // The remote query that the other machine posted is gone on with, not posted again.
    let claim = ledger
        .claim(&request("02:20"))
        .expect("a claim")
        .expect("due");
    assert_eq!(claim.resume.map(|resume| resume.remote), Some(remote(1)));
    let verdict = ledger.audit_verify(None).expect("read");
    assert_eq!(verdict.faults, []);
    let tail = ledger.audit_tail(2).expect("read");
    let actions: Vec<_> = tail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["state export", "state import"]);
}

#[test]
fn an_export_is_one_instant_while_others_write() {
    let (home, _) = exported();
    let other = open(&home.folder);
    let file = home.folder.path().join("second.sqlite");

    home.ledger
        .export(&file, &change("state export"))
        .expect("an export");
    other
        .plan(
            &[planned("s2/visit@v1/2026-11-18..2026-11-19")],
            at("03:00"),
        )
        .expect("a plan");

    assert_eq!(
        import(&file, &new_home()).expect("an import").extractions,
        2
    );
}

#[test]
fn an_export_overwrites_nothing() {
    let (home, file) = exported();
    let before = std::fs::read(&file).expect("there");

    let error = home
        .ledger
        .export(&file, &change("state export"))
        .expect_err("refused");

    assert!(matches!(error.kind, LedgerErrorKind::Copy(..)), "{error:?}");
    assert_eq!(std::fs::read(&file).expect("there"), before);
}

#[test]
fn a_ledger_is_never_imported_over_another() {
    let (_home, file) = exported();
    let folder = new_home();
    import(&file, &folder).expect("an import");

    let kind = import(&file, &folder).expect_err("refused");

    assert!(matches!(kind, LedgerErrorKind::AlreadyThere), "{kind:?}");
    assert!(kind.to_string().contains("--home"));
}

#[test]
fn files_that_are_not_whole_ledgers_of_this_program_are_refused_and_leave_nothing() {
    let (_home, file) = exported();
    let folder = new_home();
    let spoil = |name: &str, spoil: &dyn Fn(&Path)| {
        let copy = file.with_file_name(name);
        std::fs::copy(&file, &copy).expect("copied");
        spoil(&copy);
        import(&copy, &folder).expect_err(name)
    };

    let torn = spoil("torn.sqlite", &|copy| {
        let mut bytes = std::fs::read(copy).expect("read");
        bytes[8_192..].fill(0xa5);
        std::fs::write(copy, bytes).expect("written");
    });
    let text = spoil("text.sqlite", &|copy| {
        std::fs::write(copy, "no database at all, but long enough to have a header")
            .expect("written");
    });
    let newer = spoil("newer.sqlite", &|copy| {
        let raw = Connection::open(copy).expect("a database");
        raw.pragma_update(None, "user_version", 999).expect("set");
    });
    let place = folder.path().join("new/ledger.sqlite");
    let other = Ledger::import(
        &file,
        &place,
        Environment::Production,
        &change("state import"),
    );

    assert!(
        matches!(torn, LedgerErrorKind::Torn | LedgerErrorKind::Corrupt(_)),
        "{torn:?}"
    );
    assert!(matches!(text, LedgerErrorKind::NotALedger), "{text:?}");
    assert!(
        matches!(newer, LedgerErrorKind::Newer { found: 999, .. }),
        "{newer:?}"
    );
    let other = other.expect_err("another environment").kind;
    assert!(
        matches!(other, LedgerErrorKind::OtherEnvironment { .. }),
        "{other:?}"
    );
    assert_eq!(left(&folder), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn an_export_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, file) = exported();

    let mode = std::fs::metadata(&file)
        .expect("there")
        .permissions()
        .mode();

    assert_eq!(mode & 0o777, 0o600);
}
