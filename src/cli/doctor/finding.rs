//! One finding of the doctor: how a thing stands, and if not well, what to do and who does it.

use serde::Serialize;

use crate::cli::exit_code::ExitCode;
use crate::cli::output::Row;
use crate::cli::report::{Failure, remark};
use crate::domain::Mender;
use crate::remote::RemoteError;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Well,
    /// Worth knowing; a night works all the same, or mostly.
    Note,
    /// A night does not work with it.
    Fault,
}

/// One finding. Part of the documented JSON.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at: `ledger`, or the key of a site.
    pub(super) about: String,
    pub(super) verdict: Verdict,
    /// How it stands.
    pub(super) what: String,
    /// What to do next; absent where all is well.
    pub(super) next: Option<String>,
    /// Who does it.
    pub(super) who: Option<String>,
    #[serde(skip)]
    pub(super) code: ExitCode,
}

impl Finding {
    pub(super) fn well(about: &str, what: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            verdict: Verdict::Well,
            what: what.into(),
            next: None,
            who: None,
            code: ExitCode::Ok,
        }
    }

    pub(super) fn note(
        about: &str,
        what: impl Into<String>,
        next: impl Into<String>,
        who: Mender,
    ) -> Self {
        Self {
            about: about.to_owned(),
            verdict: Verdict::Note,
            what: what.into(),
            next: Some(next.into()),
            who: Some(who.to_string()),
            code: ExitCode::Ok,
        }
    }

    pub(super) fn fault(
        about: &str,
        what: impl Into<String>,
        next: impl Into<String>,
        who: Mender,
        code: ExitCode,
    ) -> Self {
        Self {
            verdict: Verdict::Fault,
            code,
            ..Self::note(about, what, next, who)
        }
    }

    /// The API's refusal of a call.
    pub(super) fn refused(about: &str, error: &RemoteError) -> Self {
        let code = ExitCode::of_failure(error.class());
        Self::fault(
            about,
            error.to_string(),
            error.next_step(),
            error.mender(),
            code,
        )
    }

    /// What failed here would fail a night. A message that carries its advice after a dot has its next step there.
    pub(super) fn broken(about: &str, failure: &Failure) -> Self {
        let what = failure.what();
        let next = failure
            .next_step()
            .or_else(|| Some(what.split_once(" · ")?.1.lines().next()?.to_owned()))
            .unwrap_or_else(|| "mend what is said above, then: halo-extract doctor".to_owned());
        Self::fault(about, what, next, Mender::Operator, failure.code)
    }

    /// Says what to do on stderr.
    pub(super) fn explain(&self) {
        let (Some(next), Some(who)) = (&self.next, &self.who) else {
            return;
        };
        remark(&format!(
            "\n{}: {}\n  next ({who}): {next}",
            self.about, self.what
        ));
    }
}

impl Row for Finding {
    const HEADINGS: &'static [&'static str] = &["ABOUT", "VERDICT", "WHAT"];

    fn cells(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Well => "well",
            Verdict::Note => "note",
            Verdict::Fault => "FAULT",
        };
        vec![
            self.about.clone(),
            verdict.to_owned(),
            self.what.lines().next().unwrap_or_default().to_owned(),
        ]
    }
}
