//! Advice rots: every command that a message or a document suggests must exist.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::harness::{PROGRAM, project};

/// What stands before a command that is meant to be typed, as opposed to prose about the program.
const BEFORE: [&str; 4] = ["`", ": ", "(", "? "];

#[test]
fn every_suggested_command_exists() {
    let mut suggested = BTreeSet::new();
    collect(&project().join("src"), &mut suggested);
    collect(&project().join("README.md"), &mut suggested);
    collect(&project().join("docs"), &mut suggested);
    assert!(
        suggested.len() >= 5,
        "the test no longer finds suggestions: {suggested:?}"
    );

    for words in suggested {
        let output = Command::new(PROGRAM)
            .arg("help")
            .args(&words)
            .output()
            .expect("runs");
        assert!(
            output.status.success(),
            "`halo-extract {}` is suggested and does not exist",
            words.join(" ")
        );
    }
}

/// Gathers the sub-commands after `halo-extract` where it is meant to be typed.
fn collect(path: &Path, suggested: &mut BTreeSet<Vec<String>>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            collect(&entry.expect("an entry").path(), suggested);
        }
        return;
    }
    let text = std::fs::read_to_string(path).expect("text");
    for (at, name) in text.match_indices("halo-extract ") {
        if !BEFORE.iter().any(|before| text[..at].ends_with(before)) {
            continue;
        }
        let words: Vec<String> = text[at + name.len()..]
            .split([' ', '`', '\n', ')', '"', ';', ','])
            .take(2)
            .map_while(|word| {
                word.chars()
                    .all(|c| c.is_ascii_lowercase())
                    .then(|| word.to_owned())
            })
            .filter(|word| !word.is_empty())
            .collect();
        if words
            .first()
            .is_some_and(|first| GROUPS.contains(&first.as_str()))
        {
            suggested.insert(words);
        } else {
            suggested.insert(words.into_iter().take(1).collect());
        }
    }
}

/// Commands that have commands of their own.
const GROUPS: [&str; 7] = [
    "audit", "output", "privacy", "query", "site", "state", "backfill",
];
