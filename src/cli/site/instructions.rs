//! `site instructions`: the letter that asks a practice, or its IT provider, to let us in.
//!
//! The text lies in the Markdown files of the folder `instructions`, so that whoever writes to practices can read
//! and correct it without reading Rust. Facts in it: Bp's own screens and the owner's documents on Halo Link.

use clap::{Args, ValueEnum};
use pulldown_cmark::{Event, Parser};

use crate::cli::output;
use crate::cli::report::{Failure, remark};
use crate::remote::faultless_link;

/// Print a one-page letter to a practice or its IT provider: how to let us in
#[derive(Debug, Args)]
pub(crate) struct Instructions {
    /// Who reads it
    #[arg(long = "for", value_enum, value_name = "READER")]
    reader: Reader,
    /// Its form: Markdown for a mail, HTML for printing on one A4 page
    #[arg(long, value_enum, default_value_t = Form::Markdown, value_name = "FORM")]
    format: Form,
    /// Only the steps for these versions of Best Practice; both if absent
    #[arg(long, value_enum, value_name = "VERSION")]
    pms_version: Option<PmsVersion>,
    /// Our name as Best Practice lists it, without "(via Halo Connect)"
    #[arg(long, value_name = "NAME")]
    vendor: Option<String>,
    /// Where answers go: a telephone number, an address of mail
    #[arg(long, value_name = "TEXT")]
    reply_to: Option<String>,
}

/// Who reads the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// Whoever may change the configuration of Best Practice.
    Practice,
    /// Whoever looks after the practice's server.
    ItProvider,
}

/// The form of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text with light marks.
    Markdown,
    /// A page of its own, nothing loaded from elsewhere.
    Html,
}

/// Which Best Practice the reader has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PmsVersion {
    /// Spectra SP1 Revision 3 or later: the pairing code is on Bp's own screen
    #[value(name = "spectra-sp1-r3")]
    Current,
    /// Before that, for example Orchid SP2: the code comes from a utility
    Earlier,
}

impl Instructions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let letter = self.letter();
        output::line(
            match self.format {
                Form::Markdown => letter,
                Form::Html => page(&letter),
            }
            .trim_end(),
        )?;
        if self.vendor.is_none() {
            remark(
                "the letter cannot name our line in the practice's list; say what it is called there: --vendor NAME",
            );
        }
        Ok(())
    }

    /// The letter as Markdown.
    fn letter(&self) -> String {
        let (letter, current, earlier) = match self.reader {
            Reader::Practice => (
                include_str!("instructions/practice.md"),
                include_str!("instructions/practice_current.md"),
                include_str!("instructions/practice_earlier.md"),
            ),
            Reader::ItProvider => (
                include_str!("instructions/it_provider.md"),
                include_str!("instructions/it_provider_current.md"),
                include_str!("instructions/it_provider_earlier.md"),
            ),
        };
        let steps = match self.pms_version {
            None => format!("{current}\n{earlier}"),
            Some(PmsVersion::Current) => current.to_owned(),
            Some(PmsVersion::Earlier) => earlier.to_owned(),
        };
        let vendor = self.vendor.as_deref().map(plain);
        let reply = match self.reply_to.as_deref().map(plain) {
            Some(reply) => format!("Questions, and your answer: {reply}"),
            None => "With questions, and with your answer, please reply to whoever gave you this letter.".to_owned(),
        };
        let values = [
            ("steps", steps.trim_end().to_owned()),
            (
                "current",
                "If you have Bp Spectra SP1 Revision 3 or later".to_owned(),
            ),
            (
                "earlier",
                "If you have an earlier version of Bp, for example Orchid SP2".to_owned(),
            ),
            (
                "sender",
                vendor
                    .clone()
                    .unwrap_or_else(|| "our organisation".to_owned()),
            ),
            (
                "line",
                vendor.as_ref().map_or_else(
                    || "our line, which ends in **(via Halo Connect)**,".to_owned(),
                    |vendor| format!("**{vendor} (via Halo Connect)**"),
                ),
            ),
            (
                "legacy",
                vendor.as_ref().map_or_else(
                    || "a line of ours without “(via Halo Connect)”".to_owned(),
                    |vendor| format!("**{vendor}** without “(via Halo Connect)”"),
                ),
            ),
            ("link", faultless_link().to_owned()),
            ("reply", reply),
        ];
        fill(letter, &values)
    }
}

/// Replaces each `{{name}}`. The steps come first, so that the names in them are replaced as well.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
}

/// A text that somebody typed, so that Markdown shows it as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '&' | '{') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The letter as an HTML page of its own.
fn page(letter: &str) -> String {
    let title = letter
        .lines()
        .find_map(|line| line.strip_prefix("# "))
        .unwrap_or_default();
    // Nothing in the letter may become markup of its own.
    let events = Parser::new(letter).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        event => event,
    });
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, events);
    fill(
        include_str!("instructions/page.html"),
        &[("title", title.to_owned()), ("body", body)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_letter() -> Vec<Instructions> {
        let mut letters = Vec::new();
        for reader in [Reader::Practice, Reader::ItProvider] {
            for pms_version in [None, Some(PmsVersion::Current), Some(PmsVersion::Earlier)] {
                for vendor in [None, Some("North & <West> PHN".to_owned())] {
                    letters.push(Instructions {
                        reader,
                        format: Form::Html,
                        pms_version,
                        reply_to: vendor.clone(),
                        vendor,
                    });
                }
            }
        }
        letters
    }

    #[test]
    fn every_place_of_every_letter_is_filled() {
        for instructions in every_letter() {
            let letter = instructions.letter();
            assert!(!letter.contains("{{"), "{instructions:?}: {letter}");
            assert!(!page(&letter).contains("{{"), "{instructions:?}");
        }
    }

    #[test]
    fn a_letter_shows_the_steps_of_the_version_that_was_asked_for() {
        for instructions in every_letter() {
            let letter = instructions.letter();
            let (current, earlier) = (
                letter.contains("## If you have Bp Spectra SP1 Revision 3 or later"),
                letter.contains("## If you have an earlier version"),
            );
            let wanted = match instructions.pms_version {
                None => (true, true),
                Some(PmsVersion::Current) => (true, false),
                Some(PmsVersion::Earlier) => (false, true),
            };
            assert_eq!((current, earlier), wanted, "{instructions:?}");
        }
    }

    #[test]
    fn a_page_loads_nothing_from_elsewhere_and_shows_names_as_they_are() {
        for instructions in every_letter() {
            let page = page(&instructions.letter());
            for loads in [
                "http:", "https:", "src=", "<link", "<script", "url(", "@import",
            ] {
                assert!(!page.contains(loads), "{instructions:?}: {loads}");
            }
            if instructions.vendor.is_some() {
                assert!(page.contains("North &amp; &lt;West&gt; PHN"), "{page}");
            }
        }
    }

    #[test]
    fn markdown_in_a_name_stays_text() {
        let instructions = Instructions {
            reader: Reader::Practice,
            format: Form::Html,
            pms_version: None,
            vendor: Some("a*b* _c_ [d](e) {{steps}} \\ `f`".to_owned()),
            reply_to: None,
        };
        let page = page(&instructions.letter());
        assert!(
            page.contains("a*b* _c_ [d](e) {{steps}} \\ `f` (via Halo Connect)"),
            "{page}"
        );
    }
}
