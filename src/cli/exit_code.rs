//! What the program's exit codes mean. They are part of its interface: schedulers and scripts read them.

use crate::domain::FailureClass;

/// Why the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything asked for was done.
    Ok,
    /// Something failed, and nothing more exact is known.
    Failed,
    /// The command line is not understood.
    Usage,
    /// Part of it was done; the output lists what was not.
    Partly,
    /// A query file is not valid, or a result does not fit its contract.
    Contract,
    /// A site misses the freshness goal of a query.
    Late,
    /// Halo Cloud, a site or the storage cannot be reached or refuses.
    Unavailable,
    /// Nothing is wrong that time does not mend: run the same command later.
    TryLater,
    /// The subscription key or a pairing was refused.
    Auth,
    /// The configuration is not valid.
    Config,
    /// Ctrl-C: what was at work was brought to a safe end.
    Interrupted,
    /// Terminated: what was at work was brought to a safe end.
    Terminated,
}

impl ExitCode {
    /// The number that the process returns.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partly => 3,
            Self::Contract => 5,
            Self::Late => 6,
            Self::Unavailable => 69,
            Self::TryLater => 75,
            Self::Auth => 77,
            Self::Config => 78,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The code for an extraction that failed in this way.
    #[must_use]
    pub fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::Auth | FailureClass::Forbidden => Self::Auth,
            FailureClass::Contract | FailureClass::Sql => Self::Contract,
            FailureClass::Network
            | FailureClass::Site
            | FailureClass::Halo
            | FailureClass::Storage => Self::Unavailable,
            FailureClass::Limit | FailureClass::Gone => Self::TryLater,
            FailureClass::Internal => Self::Failed,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
