//! `audit`: who changed what, when and why; and whether anybody changed that record.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::domain::Sha256;
use crate::ledger::{AuditAnchor, AuditEntry, AuditHead, AuditRow, Ledger, broken_export};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Format, Row};
use super::report::{Failure, remark};
use super::site::failed;

/// Rows of the audit that an export holds in memory.
const CHUNK: u32 = 1_000;

/// Who changed what, when and why, in a chain that shows any later edit
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Tail(Tail),
    Verify(Verify),
    Export(Export),
}

/// Show the newest changes, the last one at the end
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// How many
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    lines: u32,
    /// Only changes of this site or other subject
    #[arg(long, value_name = "KEY")]
    about: Option<String>,
}

/// Find every row that was edited, moved, added or cut off, and every site that was changed past the audit
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Also compare with an earlier `audit export`, or with a hash that it or this command told. Without
    /// it, a chain that was rewritten as a whole cannot be told from the true one
    #[arg(long, value_name = "FILE|HASH")]
    against: Option<Against>,
}

/// Print every row with its hashes as JSON lines, to be kept elsewhere; docs/audit.md tells how to check them
#[derive(Debug, Args)]
pub(crate) struct Export {}

/// What the audit is compared with.
#[derive(Debug, Clone)]
enum Against {
    Hash(Sha256),
    File(PathBuf),
}

impl FromStr for Against {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::File(PathBuf::from(text)), Self::Hash))
    }
}

impl Audit {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let ledger = context.present_ledger(&context.config()?)?;
        match self {
            Self::Tail(tail) => tail.run(context, &ledger),
            Self::Verify(verify) => verify.run(context, &ledger),
            Self::Export(Export {}) => export(&ledger),
        }
    }
}

impl Tail {
    fn run(&self, context: &Context, ledger: &Ledger) -> Result<(), Failure> {
        let entries = match &self.about {
            None => ledger.audit_tail(self.lines),
            Some(subject) => ledger.audit_about(subject).map(|mut entries| {
                let older = entries.len().saturating_sub(self.lines as usize);
                entries.split_off(older)
            }),
        };
        output::rows(context.format(), &entries.map_err(failed)?)
    }
}

impl Row for AuditEntry {
    const HEADINGS: &'static [&'static str] = &[
        ">ROW", "AT", "ACTOR", "ACTION", "SUBJECT", "REASON", "CHANGES",
    ];

    fn cells(&self) -> Vec<String> {
        let changes: Vec<_> = self
            .changes
            .iter()
            .map(|(field, [before, after])| {
                let or_dash =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                format!("{field}: {} → {}", or_dash(before), or_dash(after))
            })
            .collect();
        [
            &self.seq.to_string(),
            &self.at,
            &self.actor,
            &self.action,
            &self.subject,
            &self.reason,
            &changes.join("; "),
        ]
        .map(|cell| printable(cell))
        .to_vec()
    }
}

/// What people typed as reason or actor may hold anything; on a terminal it must stay one line of text.
fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// What a check of the audit found. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Checked {
    whole: bool,
    rows: u64,
    last_hash: Sha256,
    faults: Vec<Told>,
}

/// A fault with its sentence.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    fault: crate::ledger::AuditFault,
    what: String,
}

impl Verify {
    fn run(&self, context: &Context, ledger: &Ledger) -> Result<(), Failure> {
        let anchor = match &self.against {
            None => None,
            Some(Against::Hash(hash)) => Some(AuditAnchor::Hash(*hash)),
            Some(Against::File(path)) => Some(AuditAnchor::Rows(exported(path)?)),
        };
        let verdict = ledger.audit_verify(anchor.as_ref()).map_err(failed)?;
        let AuditHead { seq, hash } = verdict.head;
        let checked = Checked {
            whole: verdict.faults.is_empty(),
            rows: seq,
            last_hash: hash,
            faults: verdict
                .faults
                .into_iter()
                .map(|fault| Told {
                    what: fault.to_string(),
                    fault,
                })
                .collect(),
        };
        match context.format() {
            Format::Table => checked.print(anchor.is_some())?,
            format => output::document(format, &checked)?,
        }
        if checked.whole {
            return Ok(());
        }
        Err(Failure::new(
            ExitCode::Failed,
            match checked.faults.len() {
                1 => "the audit is not as this program wrote it".to_owned(),
                count => format!("the audit is not as this program wrote it, in {count} places"),
            },
        )
        .next("keep a copy of the ledger as it is, find out who had access to the file, and compare with the last good backup; an export \
               kept elsewhere tells which rows are the true ones: halo-extract audit verify --against FILE"))
    }
}

impl Checked {
    fn print(&self, anchored: bool) -> Result<(), Failure> {
        for fault in &self.faults {
            output::line(&fault.what)?;
        }
        if !self.whole {
            return Ok(());
        }
        output::line(&format!(
            "whole: {} rows, the last with hash {}",
            self.rows, self.last_hash
        ))?;
        if self.rows == 0 {
            remark("nothing was changed yet, so there is nothing to note");
        } else if anchored {
            remark("it holds everything that it is compared with");
        } else {
            remark(&format!(
                "note the hash outside this machine; later it proves that nothing up to here was rewritten: halo-extract audit verify \
                 --against {}",
                self.last_hash
            ));
        }
        Ok(())
    }
}

/// The rows of an earlier export.
fn exported(path: &Path) -> Result<Vec<AuditRow>, Failure> {
    let refused = |what: String| {
        Failure::new(ExitCode::Usage, what).next(
            "give a file that `halo-extract audit export` wrote, unchanged, or a hash of 64 hex digits",
        )
    };
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("{name} cannot be read: {error}")))?;
    let rows = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|_| {
                refused(format!(
                    "line {} of {name} is not an exported row of the audit",
                    index + 1
                ))
            })
        })
        .collect::<Result<Vec<AuditRow>, _>>()?;
    match broken_export(&rows).first() {
        Some(fault) => Err(refused(format!(
            "{name} is no whole export, so nothing can be proven by it: {fault}"
        ))),
        None if rows.is_empty() => Err(refused(format!("{name} holds no rows"))),
        None => Ok(rows),
    }
}

/// Always JSON lines, whatever `--output` says: the form is what makes it checkable.
fn export(ledger: &Ledger) -> Result<(), Failure> {
    let mut last: Option<AuditRow> = None;
    loop {
        let after = last.as_ref().map_or(0, |row| row.seq);
        let rows = ledger.audit_rows(after, CHUNK).map_err(failed)?;
        output::documents(Format::Jsonl, &rows)?;
        match rows.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    match last {
        None => remark("the audit has no rows yet"),
        Some(row) => remark(&format!(
            "{} rows, the last with hash {}; keep them outside this machine, and compare later: halo-extract audit verify --against FILE",
            row.seq, row.hash
        )),
    }
    Ok(())
}
