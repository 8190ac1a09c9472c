//! `completions`: the completion script of a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::report::Failure;

/// Prints the completion script of a shell; see the shell's manual for where to put it.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        clap_complete::generate(
            self.shell,
            &mut super::Cli::command(),
            "halo-extract",
            &mut std::io::stdout(),
        );
        Ok(())
    }
}
