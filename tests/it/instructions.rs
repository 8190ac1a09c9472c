//! `site instructions`: the letters as they are read, without a ledger, a key or a network.

use std::process::Command;

use crate::harness::{Finished, PROGRAM};
use crate::snapshot::matches_snapshot;

/// A letter, printed where nothing is set up.
fn letter(arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(PROGRAM);
    command
        .args(["site", "instructions"])
        .args(arguments)
        .current_dir(folder.path());
    let finished = Finished::of(command.output().expect("runs")).succeeded();
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "it only prints");
    finished
}

const NAMED: [&str; 4] = ["--vendor", "Example Health", "--reply-to", "07 5550 0000"];

#[test]
fn the_letters_read_as_accepted() {
    for (name, arguments) in [
        ("letter_practice", &["--for", "practice"][..]),
        ("letter_it_provider", &["--for", "it-provider"]),
        (
            "letter_practice_current",
            &["--for", "practice", "--pms-version", "spectra-sp1-r3"],
        ),
        (
            "letter_practice_earlier",
            &["--for", "practice", "--pms-version", "earlier"],
        ),
        (
            "letter_it_provider_earlier",
            &["--for", "it-provider", "--pms-version", "earlier"],
        ),
    ] {
        let named = letter(&[arguments, &NAMED].concat());
        assert_eq!(named.stderr, "", "{name}");
        matches_snapshot(name, &named.stdout);
    }
}

#[test]
fn a_letter_without_our_name_can_be_read_and_asks_for_it() {
    let unnamed = letter(&["--for", "practice"]);

    matches_snapshot("letter_unnamed", &unnamed.stdout);
    assert!(unnamed.stderr.contains("--vendor"), "{unnamed:#?}");
}

#[test]
fn every_letter_reminds_of_the_older_line_and_tells_where_the_code_is_made() {
    for reader in ["practice", "it-provider"] {
        for version in [&[][..], &["--pms-version", "spectra-sp1-r3"]] {
            let letter = letter(&[&["--for", reader], version, &NAMED].concat()).stdout;
            let words = letter.split_whitespace().collect::<Vec<_>>().join(" ");
            for told in [
                "**Example Health (via Halo Connect)**",
                "**Example Health** without “(via Halo Connect)”",
                "Setup > Configuration > Database",
                "change-over is done",
                "07 5550 0000",
            ] {
                assert!(words.contains(told), "{reader} {version:?}: {told}");
            }
        }
    }
}

#[test]
fn the_page_is_whole_html_and_says_what_the_markdown_says() {
    let page = letter(&[&["--for", "practice", "--format", "html"], &NAMED[..]].concat()).stdout;

    matches_snapshot("letter_practice_page", &page);
    for tag in ["html", "head", "body", "ol", "ul"] {
        let (opened, closed) = (format!("<{tag}"), format!("</{tag}>"));
        assert!(page.contains(&opened) && page.contains(&closed), "{tag}");
    }
    assert!(page.contains("<strong>Example Health (via Halo Connect)</strong>"));
}
