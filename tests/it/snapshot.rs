//! What people read, compared as a whole with a file of `snapshots/`, so that every change of a message shows in a diff.
//!
//! What differs from run to run is masked: instants, GUIDs, digests, sizes, the simulator's address, folders of the test.

use std::path::PathBuf;

use crate::harness::{Finished, Home, project};

/// Set to write the snapshots anew; then read their diff.
const ACCEPT: &str = "HALO_EXTRACT_ACCEPT";

fn folder() -> PathBuf {
    project().join("tests/it/snapshots")
}

/// Compares a text with the snapshot of this name.
#[track_caller]
pub(crate) fn matches_snapshot(name: &str, text: &str) {
    let path = folder().join(format!("{name}.txt"));
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os(ACCEPT).is_some_and(|value| value == "1") {
        std::fs::create_dir_all(folder()).expect("made");
        std::fs::write(&path, &text).expect("written");
        return;
    }
    let accepted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        accepted == text,
        "{} is otherwise; if the new text is right, run this test with {ACCEPT}=1\n--- accepted\n{accepted}\n--- now\n{text}",
        path.display()
    );
}

impl Finished {
    /// Exit code, stdout and stderr as one text, masked.
    pub(crate) fn told(&self, home: &Home) -> String {
        let mut text = format!("exit code {}", self.code.map_or(-1, |code| code));
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("\n--- {name}\n{}", stream.trim_end()));
            }
        }
        let folder = home.path().to_str().expect("UTF-8");
        masked(&text.replace(folder, "<home>"))
    }
}

/// The text with what differs from run to run replaced by its kind.
pub(crate) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let starts_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        match KINDS
            .iter()
            .find_map(|(mask, shape)| Some((mask, shape(rest)?)))
        {
            Some((mask, length)) if starts_word => {
                out.push_str(mask);
                rest = &rest[length..];
            }
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// A mask, and how many bytes at the beginning of a text are of its kind.
type Kind = (&'static str, fn(&str) -> Option<usize>);

const KINDS: [Kind; 6] = [
    // A time that is written takes more or fewer bytes.
    ("<size>", |text| {
        let whole = text.bytes().take_while(u8::is_ascii_digit).count();
        Some(whole + shape(&text[whole..], ".dd kB")?)
    }),
    ("<seconds> s", |text| {
        let whole = text.bytes().take_while(u8::is_ascii_digit).count();
        Some(whole + shape(&text[whole..], ".d s")?)
    }),
    ("<time>", instant),
    ("<guid>", |text| {
        shape(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
    }),
    ("<hash>", |text| shape(text, &"x".repeat(64))),
    ("<url>", |text| {
        let port = text.strip_prefix("http://127.0.0.1:")?;
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        Some(text.len() - port.len() + digits)
    }),
];

/// `2026-11-18T01:02:03.004Z`, `2026-11-18 01:02:03 UTC`, `2026-11-18 01:02`; a date alone is none.
fn instant(text: &str) -> Option<usize> {
    // As the name of a file has it.
    if let Some(length) = shape(text, "ddddddddTdddddddddZ") {
        return Some(length);
    }
    let date = shape(text, "dddd-dd-ddTdd:dd").or_else(|| shape(text, "dddd-dd-dd dd:dd"))?;
    let mut length = date;
    for part in [":dd", ".ddd", "Z", " UTC"] {
        length += shape(&text[length..], part).unwrap_or(0);
    }
    Some(length)
}

/// The length of `shape` if the text begins so: `d` is a digit, `x` a lower-case hex digit, the rest itself.
fn shape(text: &str, shape: &str) -> Option<usize> {
    let fits = text.len() >= shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(c, wanted)| match wanted {
                b'd' => c.is_ascii_digit(),
                b'x' => c.is_ascii_digit() || (b'a'..=b'f').contains(&c),
                _ => c == wanted,
            });
    fits.then_some(shape.len())
}

#[test]
fn what_differs_from_run_to_run_is_masked_and_nothing_else() {
    let guid = "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10";
    let hash = "0123456789abcdef".repeat(4);
    let text = format!(
        "in 12.5 s at 2026-11-18T01:02:03.004Z or 2026-11-18 01:02:03 UTC: {guid} {hash} http://127.0.0.1:4711/x 2026-11-18..2026-11-19"
    );
    assert_eq!(
        masked(&text),
        "in <seconds> s at <time> or <time>: <guid> <hash> <url>/x 2026-11-18..2026-11-19"
    );
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let mut sources = String::new();
    for entry in std::fs::read_dir(project().join("tests/it")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&std::fs::read_to_string(path).expect("text"));
        }
    }
    for entry in std::fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("UTF-8");
        assert!(
            sources.contains(&format!("\"{name}\"")),
            "no test names the snapshot {name}"
        );
    }
}
