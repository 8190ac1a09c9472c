//! How a command's failure reaches the person at the terminal: what happened, why, what to do next.

use std::error::Error;
use std::fmt;

use super::exit_code::ExitCode;

/// A command that did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process returns.
    pub(crate) code: ExitCode,
    error: Box<dyn Error + Send + Sync>,
    next: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: ExitCode, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code,
            error: error.into(),
            next: None,
        }
    }

    /// What happened, with its causes.
    pub(crate) fn what(&self) -> String {
        let mut text = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            text.push_str(&format!("\n  caused by: {error}"));
            cause = error.source();
        }
        text
    }

    /// What to do next, if it was said.
    pub(crate) fn next_step(&self) -> Option<String> {
        self.next.clone()
    }

    /// Says what to do next.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// Prints the chain once: error, caused by, next.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what())?;
        match &self.next {
            Some(next) => write!(f, "\nnext: {next}"),
            None => Ok(()),
        }
    }
}

/// Prints a failure to stderr.
pub(crate) fn print(failure: &Failure) {
    use std::io::Write;
    // Where stderr is gone there is nobody left to tell; the exit code still says it.
    drop(writeln!(std::io::stderr().lock(), "{failure}"));
}

/// Prints a remark to stderr, for people: what was done, what comes next.
pub(crate) fn remark(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
