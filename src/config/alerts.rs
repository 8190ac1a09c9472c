//! `[alerts]`: who is told when sites are late.

use std::fmt;
use std::str::FromStr;

use super::{Layers, Secret};

/// Who is told when sites are late.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// Where the address is found that alerts are posted to; without it nobody is told.
    pub url: Secret,
    /// What is posted.
    pub form: AlertForm,
    /// Where the secret is found with which alerts are signed; without it they are not signed.
    pub signing_key: Secret,
    /// Where the address is found that is asked for as long as all is well; without it none is.
    pub heartbeat_url: Secret,
}

/// What is posted for an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertForm {
    /// `{"text": …}`, as Slack and what is compatible with it take it.
    Slack,
    /// A document for programs.
    Json,
}

impl Alerts {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            url: Secret::setting(layers, "alerts.url"),
            form: layers.text("alerts.form").unwrap_or(AlertForm::Json),
            signing_key: Secret::setting(layers, "alerts.signing_key"),
            heartbeat_url: Secret::setting(layers, "alerts.heartbeat_url"),
        }
    }
}

/// A form that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no form of alert; write \"slack\" or \"json\"")]
pub struct UnknownForm(String);

impl FromStr for AlertForm {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        match text {
            "slack" => Ok(Self::Slack),
            "json" => Ok(Self::Json),
            other => Err(UnknownForm(other.to_owned())),
        }
    }
}

impl fmt::Display for AlertForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slack => "slack",
            Self::Json => "json",
        })
    }
}
