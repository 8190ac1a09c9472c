//! `site import`: many sites from one file: the difference first, then one line for each.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use console::Term;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::{Failure, remark};
use crate::config::Config;
use crate::domain::{SAME_PRACTICE, Site, SiteKey, SiteState, similarity};
use crate::ledger::Ledger;
use crate::remote::Client;

use super::known::failed;
use super::pair::{pair_or_say_why, record, registered};
use super::refusal;
use super::registration::{Invitation, NameVerdict};
use super::registry_file::{Entry, Form, Problem, read};

/// Register many sites from a TOML or CSV file, and pair those for which it has a code
///
/// Shows the difference first and applies it with --yes or after a question at the terminal. Importing the same
/// file again changes nothing. Columns: key, pms, pms_id, name, time_zone, groups, quiet_hours,
/// extractions_at_once, queries_per_month, queries_off, code; only pms_id is needed. What a line does not say
/// stays as it is. Keep a file with codes as you keep passwords; they are neither stored nor logged.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file: `[[site]]` tables, or CSV with a line of headings where it ends in .csv
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only show the difference
    #[arg(long)]
    dry_run: bool,
    /// Apply the difference without asking
    #[arg(long)]
    yes: bool,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// What is to become of a line, or became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Added,
    Changed,
    Unchanged,
    Paired,
    Failed,
}

/// A line of the file with what it means. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Line {
    line: usize,
    site: SiteKey,
    outcome: Outcome,
    what: String,
}

/// A line that is understood: the site before and after, and whether it is to be paired.
struct Difference {
    entry: Entry,
    before: Option<Site>,
    after: Site,
    what: Vec<String>,
}

impl Import {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let text = std::fs::read_to_string(&self.file).map_err(|error| {
            Failure::new(
                ExitCode::Usage,
                format!("cannot read {}: {error}", self.file.display()),
            )
        })?;
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let differences = self.differences(&text, &ledger)?;
        let changes = differences
            .iter()
            .filter(|difference| difference.outcome() != Outcome::Unchanged)
            .count();
        if changes == 0 || self.dry_run {
            let lines: Vec<Line> = differences.iter().map(Difference::planned).collect();
            tell(context, &lines)?;
            remark(match changes {
                0 => "nothing to change",
                _ => "nothing was applied; without --dry-run it is",
            });
            return Ok(ExitCode::Ok);
        }
        self.agree(context, &differences, changes)?;
        self.apply(context, &config, &ledger, differences)
    }

    /// What each line changes; all problems of the file at once, and then nothing is applied.
    fn differences(&self, text: &str, ledger: &Ledger) -> Result<Vec<Difference>, Failure> {
        let (entries, mut problems) = read(text, Form::of(&self.file));
        let sites = ledger.sites().map_err(failed)?;
        let mut differences = Vec::new();
        for entry in entries {
            let line = entry.line;
            let checked = refusal::check_pms_id(&entry.pms_id, entry.pms_type)
                .and_then(|()| registered(&sites, entry.pms_type, &entry.pms_id, Some(&entry.key)));
            match checked
                .map_err(|failure| failure.what())
                .and_then(|before| Difference::of(entry, before))
            {
                Ok(difference) => differences.push(difference),
                Err(what) => problems.push(Problem { line, what }),
            }
        }
        if problems.is_empty() {
            return Ok(differences);
        }
        problems.sort_by_key(|problem| problem.line);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Err(Failure::new(
            ExitCode::Config,
            format!(
                "{} has {} problems, and nothing was applied\n  {}",
                self.file.display(),
                lines.len(),
                lines.join("\n  ")
            ),
        )
        .next("correct the lines and import the file again; halo-extract site import --help lists the columns"))
    }

    /// Shows the difference and asks, unless --yes said so beforehand.
    fn agree(
        &self,
        context: &Context,
        differences: &[Difference],
        changes: usize,
    ) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let lines: Vec<Line> = differences
            .iter()
            .filter(|difference| difference.outcome() != Outcome::Unchanged)
            .map(Difference::planned)
            .collect();
        let refused = Failure::new(
            ExitCode::Usage,
            format!("nothing was applied: {changes} lines would change the registry"),
        )
        .next("look at the difference above, then run it again with --yes");
        if !std::io::stdin().is_terminal() {
            tell(context, &lines)?;
            return Err(refused);
        }
        remark(&output::table(&lines));
        remark(&format!("apply these {changes} lines? [y/N]"));
        match Term::stderr().read_line() {
            Ok(answer) if answer.trim().eq_ignore_ascii_case("y") => Ok(()),
            _ => Err(refused),
        }
    }

    fn apply(
        &self,
        context: &Context,
        config: &Config,
        ledger: &Ledger,
        differences: Vec<Difference>,
    ) -> Result<ExitCode, Failure> {
        let reason = match self.reason.as_str() {
            "" => format!("imported from {}", self.file.display()),
            reason => reason.to_owned(),
        };
        // Before anything is written: without a key no line could be paired.
        let client = match differences.iter().any(Difference::is_to_be_paired) {
            true => Some(context.client(config)?),
            false => None,
        };
        let mut lines = Vec::new();
        for difference in differences {
            let line = difference.entry.line;
            let site = difference.after.key.clone();
            let written = match difference.outcome() {
                Outcome::Unchanged => Ok(()),
                _ => ledger
                    .put_site(&difference.after, &context.change("import", &reason))
                    .map(|_| ())
                    .map_err(failed),
            };
            let done = written.and_then(|()| match &client {
                Some(client) if difference.is_to_be_paired() => {
                    pair_one(context, client, config, ledger, &difference)
                }
                _ => Ok((difference.outcome(), difference.what.join("; "))),
            });
            let (outcome, what) = done.unwrap_or_else(|failure| (Outcome::Failed, failure.what()));
            lines.push(Line {
                line,
                site,
                outcome,
                what,
            });
        }
        tell(context, &lines)?;
        let of = |outcome| lines.iter().filter(|line| line.outcome == outcome).count();
        remark(&format!(
            "{} added, {} changed, {} paired, {} unchanged, {} failed",
            of(Outcome::Added),
            of(Outcome::Changed),
            of(Outcome::Paired),
            of(Outcome::Unchanged),
            of(Outcome::Failed)
        ));
        if of(Outcome::Failed) > 0 {
            remark(
                "next: mend the lines that failed, with new codes where codes were refused, and import the file again; the steps of one \
                 practice, click by click: halo-extract site pair --pms-id ID --code -",
            );
        }
        Ok(if of(Outcome::Failed) > 0 {
            ExitCode::Partly
        } else {
            ExitCode::Ok
        })
    }
}

fn pair_one(
    context: &Context,
    client: &Client,
    config: &Config,
    ledger: &Ledger,
    difference: &Difference,
) -> Result<(Outcome, String), Failure> {
    let entry = &difference.entry;
    let invitation = entry.invitation();
    let remote = context.block_on(pair_or_say_why(
        client,
        &invitation,
        entry.code.as_ref(),
        config.environment,
    ))??;
    let change = context.change("pair", "paired by code");
    let (site, verdict) = record(
        ledger,
        &invitation,
        &remote,
        Some(&difference.after),
        &change,
    )?;
    let name = site.practice_name.as_deref().unwrap_or("no name");
    match verdict {
        NameVerdict::Doubtful(_) => Err(Failure::new(
            ExitCode::Auth,
            format!(
                "it calls itself \"{}\", and \"{name}\" was expected; {} is under review: halo-extract site review {}",
                remote.practice_name.as_deref().unwrap_or_default(),
                site.key,
                site.key
            ),
        )),
        _ => Ok((
            Outcome::Paired,
            format!("with \"{name}\"; it is {}", site.state),
        )),
    }
}

impl Entry {
    fn invitation(&self) -> Invitation {
        Invitation {
            key: self.key.clone(),
            pms_type: self.pms_type,
            pms_id: self.pms_id.clone(),
            name: self.name.clone(),
            accept_name: false,
            time_zone: self.time_zone,
            groups: self.groups.clone().unwrap_or_default(),
        }
    }
}

impl Difference {
    /// What the line changes.
    ///
    /// # Errors
    /// When it names the practice otherwise than the paired site is named: a file does not rename a practice.
    fn of(entry: Entry, before: Option<Site>) -> Result<Self, String> {
        let mut after = entry.invitation().invited(before.as_ref());
        if let Some(name) = &entry.name {
            let known = after
                .practice_name
                .clone()
                .filter(|_| after.halo_guid.is_some());
            match known {
                Some(known) if similarity(&known, name) < SAME_PRACTICE => {
                    return Err(format!(
                        "`name`: the practice paired as {} calls itself \"{known}\"",
                        after.key
                    ));
                }
                Some(_) => {}
                None => after.practice_name = Some(name.clone()),
            }
        }
        // A file tells all groups of a site, so that taking one out of it takes the site out of the group.
        after.groups = entry.groups.clone().unwrap_or(after.groups);
        let overrides = &mut after.overrides;
        overrides.quiet_hours = entry.quiet_hours.or(overrides.quiet_hours);
        overrides.extractions_at_once = entry.extractions_at_once.or(overrides.extractions_at_once);
        overrides.queries_per_month = entry.queries_per_month.or(overrides.queries_per_month);
        if let Some(off) = &entry.queries_off {
            overrides.queries_off.clone_from(off);
        }
        let what = before
            .as_ref()
            .map(|before| changes(before, &after))
            .unwrap_or_default();
        Ok(Self {
            entry,
            before,
            after,
            what,
        })
    }

    fn outcome(&self) -> Outcome {
        match &self.before {
            None => Outcome::Added,
            Some(_) if self.is_to_be_paired() => Outcome::Paired,
            Some(before) if *before == self.after => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        }
    }

    /// A site that has a GUID is paired already, and its code in the file is of no use any more.
    fn is_to_be_paired(&self) -> bool {
        self.entry.code.is_some() && self.after.state == SiteState::Invited
    }

    fn planned(&self) -> Line {
        let mut what = self.what.clone();
        if self.is_to_be_paired() {
            what.push("to be paired by its code".to_owned());
        }
        Line {
            line: self.entry.line,
            site: self.after.key.clone(),
            outcome: self.outcome(),
            what: what.join("; "),
        }
    }
}

/// The fields that differ, before and after.
fn changes(before: &Site, after: &Site) -> Vec<String> {
    let list = |values: &[String]| values.join(", ");
    let text = |value: Option<String>| value.unwrap_or_else(|| "default".to_owned());
    let off = |site: &Site| {
        let names: Vec<String> = site
            .overrides
            .queries_off
            .iter()
            .map(ToString::to_string)
            .collect();
        list(&names)
    };
    let number = |n: Option<u32>| text(n.map(|n| n.to_string()));
    let hours = |site: &Site| text(site.overrides.quiet_hours.map(|hours| hours.to_string()));
    [
        (
            "name",
            text(before.practice_name.clone()),
            text(after.practice_name.clone()),
        ),
        (
            "time zone",
            before.time_zone.to_string(),
            after.time_zone.to_string(),
        ),
        ("groups", list(&before.groups), list(&after.groups)),
        ("quiet hours", hours(before), hours(after)),
        (
            "extractions at once",
            number(before.overrides.extractions_at_once),
            number(after.overrides.extractions_at_once),
        ),
        (
            "queries per month",
            number(before.overrides.queries_per_month),
            number(after.overrides.queries_per_month),
        ),
        ("queries off", off(before), off(after)),
    ]
    .into_iter()
    .filter(|(_, before, after)| before != after)
    .map(|(field, before, after)| format!("{field}: {before} -> {after}"))
    .collect()
}

fn tell(context: &Context, lines: &[Line]) -> Result<(), Failure> {
    // For people, what stays as it is would bury what changes.
    let all = context.format() != Format::Table;
    let shown: Vec<&Line> = lines
        .iter()
        .filter(|line| all || line.outcome != Outcome::Unchanged)
        .collect();
    output::rows(context.format(), &shown)
}

impl Row for &Line {
    const HEADINGS: &'static [&'static str] = <Line as Row>::HEADINGS;

    fn cells(&self) -> Vec<String> {
        Line::cells(self)
    }
}

impl Row for Line {
    const HEADINGS: &'static [&'static str] = &[">LINE", "SITE", "OUTCOME", "WHAT"];

    fn cells(&self) -> Vec<String> {
        let outcome = match self.outcome {
            Outcome::Added => "added",
            Outcome::Changed => "changed",
            Outcome::Unchanged => "unchanged",
            Outcome::Paired => "paired",
            Outcome::Failed => "FAILED",
        };
        let what = self.what.lines().next().unwrap_or_default();
        vec![
            self.line.to_string(),
            self.site.to_string(),
            outcome.to_owned(),
            what.to_owned(),
        ]
    }
}
