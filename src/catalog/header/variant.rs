//! The header of a variant: only what differs from its query.

use super::super::nearest::write_instead;
use super::super::problem::Report;
use super::super::source::Source;
use super::keys::Keys;
use super::read::{needed_text, read_keys};
use crate::domain::Brings;

const KEYS: [&str; 4] = ["why", "brings", "opt_out", "cost"];

/// What could be read of a variant's header. What is needed but absent has been reported.
#[derive(Debug)]
pub(in crate::catalog) struct VariantHeader {
    /// Byte of the file where the TOML begins.
    pub(in crate::catalog) at: usize,
    pub(in crate::catalog) why: Option<String>,
    pub(in crate::catalog) brings: Option<Brings>,
    pub(in crate::catalog) opt_out: Option<String>,
    pub(in crate::catalog) cost: Option<String>,
}

/// Reads the header; `None` if it is not TOML.
pub(in crate::catalog) fn read_variant(
    source: &Source<'_>,
    report: &mut Report<'_>,
) -> Option<VariantHeader> {
    read_keys(source, report, check)
}

fn check(keys: &Keys<'_>, at: usize, report: &mut Report<'_>) -> VariantHeader {
    keys.refuse_others(
        "a variant, which has the rest from its query",
        &KEYS,
        report,
    );
    VariantHeader {
        at,
        why: needed_text(
            "why",
            "\"which table is refused, what its rows lack\"",
            keys,
            at,
            report,
        ),
        brings: brings(keys, at, report),
        opt_out: keys.text("opt_out", report).map(|text| text.value),
        cost: keys.text("cost", report).map(|text| text.value),
    }
}

fn brings(keys: &Keys<'_>, at: usize, report: &mut Report<'_>) -> Option<Brings> {
    needed_text(
        "brings",
        "\"whole\"` or `brings = \"changes\"",
        keys,
        at,
        report,
    )?;
    let text = keys.text("brings", report)?;
    match Brings::from(text.value.as_str()) {
        Brings::Unknown(other) => {
            report.at(
                text.at,
                format!("`{other}` is not what a variant can bring"),
                write_instead(&other, &["changes", "whole"]),
            );
            None
        }
        brings => Some(brings),
    }
}
