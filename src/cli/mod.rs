//! The command line: one file per command, all of them thin.
//!
//! stdout is data in the form that `--output` asks for; stderr is logs, progress and errors. What a command
//! needs (settings, ledger, API, storage) it takes from `context::Context`, which opens each on first use, so
//! that `query lint` needs no key and `status` no network.

mod audit;
mod backfill;
mod carry_out;
mod completions;
mod context;
mod demo;
mod doctor;
mod exit_code;
mod heap;
mod lake;
mod outcome;
mod output;
mod privacy;
mod progress;
mod query;
mod report;
mod run;
mod schedule;
mod selection;
mod serve;
mod simulate;
mod site;
mod state;
mod status;
mod stop_signals;
mod why;

pub use exit_code::ExitCode;
pub use heap::keep_freed_memory;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::telemetry::{self, LogFormat};

use context::Context;
use output::Format;
use report::Failure;

/// Nightly, complete, de-identified extracts of general-practice data through Halo Cloud to Parquet.
#[derive(Debug, Parser)]
#[command(
    name = "halo-extract",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Where things are. Each is also a setting of the config file, and an environment variable.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Config file; `config/halo-extract.toml` is read when it exists
    #[arg(long, global = true, value_name = "FILE", env = "HALO_EXTRACT_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of ledger and spool [setting: home; variable: HALO_EXTRACT__HOME]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<String>,
    /// Where objects go, a URL or a folder [setting: storage; variable: HALO_EXTRACT__STORAGE]
    #[arg(long, global = true, value_name = "URL")]
    storage: Option<String>,
    /// Folder of query files [setting: queries; variable: HALO_EXTRACT__QUERIES]
    #[arg(long, global = true, value_name = "DIR")]
    queries: Option<String>,
    /// Base address of the API [setting: halo.url; variable: HALO_EXTRACT__HALO__URL]
    #[arg(long, global = true, value_name = "URL")]
    halo_url: Option<String>,
    /// production, staging or simulator [setting: environment; variable: HALO_EXTRACT__ENVIRONMENT]
    #[arg(long, global = true, value_name = "NAME")]
    environment: Option<String>,
    /// Who makes a change, for the audit; the user of the operating system if absent
    #[arg(long, global = true, value_name = "NAME", env = "HALO_EXTRACT_ACTOR")]
    actor: Option<String>,
    /// Form of the result on stdout
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "table",
        env = "HALO_EXTRACT_OUTPUT"
    )]
    output: Format,
    /// What to log to stderr: error, warn, info, debug, or a filter such as halo_extract=debug
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        default_value = "warn",
        env = "HALO_EXTRACT_LOG"
    )]
    log: String,
    /// Log JSON lines instead of text
    #[arg(long, global = true, env = "HALO_EXTRACT_LOG_JSON")]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Site(site::Site),
    #[command(subcommand)]
    Query(query::Query),
    Run(run::Run),
    #[command(subcommand)]
    Backfill(backfill::Backfill),
    Serve(serve::Serve),
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    Status(status::Status),
    Why(why::Why),
    #[command(subcommand)]
    State(state::State),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Output(lake::Output),
    #[command(subcommand)]
    Privacy(privacy::Privacy),
    Simulate(simulate::Simulate),
    Completions(completions::Completions),
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    keep_freed_memory();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let format = if cli.global.log_json {
        LogFormat::Json
    } else {
        LogFormat::Text
    };
    telemetry::start(&cli.global.log, format);
    let context = Context::new(cli.global);
    match cli.command.run(&context) {
        Ok(code) => code,
        Err(failure) => {
            report::print(&failure);
            failure.code
        }
    }
}

/// Help and version are no errors; anything else is a command line that is not understood.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done where the terminal itself is gone.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::Usage
    } else {
        ExitCode::Ok
    }
}

impl Command {
    fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::Demo(demo) => demo.run(context),
            Self::Doctor(doctor) => doctor.run(context),
            Self::Site(site) => site.run(context),
            Self::Query(query) => query.run(context).map(|()| ExitCode::Ok),
            Self::Run(run) => run.run(context),
            Self::Backfill(backfill) => backfill.run(context),
            Self::Serve(serve) => serve.run(context),
            Self::Audit(audit) => audit.run(context).map(|()| ExitCode::Ok),
            Self::Output(output) => output.run(context),
            Self::Privacy(privacy) => privacy.run(context).map(|()| ExitCode::Ok),
            Self::State(state) => state.run(context),
            Self::Status(status) => status.run(context),
            Self::Schedule(schedule) => schedule.run(context).map(|()| ExitCode::Ok),
            Self::Why(why) => why.run(context).map(|()| ExitCode::Ok),
            Self::Simulate(simulate) => simulate.run(context).map(|()| ExitCode::Ok),
            Self::Completions(completions) => completions.run().map(|()| ExitCode::Ok),
        }
    }
}
