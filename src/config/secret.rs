//! Where a secret is found, and finding it. A secret itself is never a setting and cannot be printed.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::Layers;

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In the environment variable of this name, or in the file that the variable `<name>_FILE` names.
    Variable(String),
    /// In this file, without the line end.
    File(PathBuf),
}

/// A secret that could not be had. Says where it was looked for, never what was found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nothing is there.
    #[error(
        "{what} is not set; set the environment variable {name}, or {name}_FILE to a file that holds it"
    )]
    Unset {
        /// What the secret is for.
        what: &'static str,
        /// The variable that was looked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("the file {} that should hold {what} cannot be read; check that it exists and that this user may read it", path.display())]
    Unreadable {
        /// What the secret is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing but white space.
    #[error("{what} is empty where it was looked for ({place}); write it there")]
    Empty {
        /// What the secret is for.
        what: &'static str,
        /// The variable or file.
        place: String,
    },
}

impl Secret {
    pub(super) fn setting(layers: &mut Layers, path: &str) -> Self {
        let example =
            "{ env = \"NAME\" } or { file = \"PATH\" }; a secret itself is never written here";
        match layers.choice(path, &["env", "file"], example) {
            Some(("file", path)) => Self::File(PathBuf::from(path)),
            Some((_, name)) => Self::Variable(name),
            None => Self::Variable(String::new()),
        }
    }

    /// Finds the secret; `what` names it in errors: "the subscription key".
    ///
    /// # Errors
    /// When it is not set, empty, or its file cannot be read.
    pub fn read(
        &self,
        what: &'static str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<SecretString, SecretError> {
        match self {
            Self::File(path) => read_file(what, path),
            Self::Variable(name) => match (variable(name), variable(&format!("{name}_FILE"))) {
                (Some(text), _) => trimmed(what, &text, name.clone()),
                (None, Some(path)) => read_file(what, Path::new(&path)),
                (None, None) => Err(SecretError::Unset {
                    what,
                    name: name.clone(),
                }),
            },
        }
    }
}

impl Secret {
    /// The same for a secret that may be left out: `None` where nothing is set.
    ///
    /// # Errors
    /// When it is empty, or its file cannot be read.
    pub fn read_if_set(
        &self,
        what: &'static str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<SecretString>, SecretError> {
        match self.read(what, variable) {
            Err(SecretError::Unset { .. }) => Ok(None),
            read => read.map(Some),
        }
    }
}

fn read_file(what: &'static str, path: &Path) -> Result<SecretString, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|source| SecretError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })?;
    trimmed(what, &text, path.display().to_string())
}

fn trimmed(what: &'static str, text: &str, place: String) -> Result<SecretString, SecretError> {
    match text.trim() {
        "" => Err(SecretError::Empty { what, place }),
        text => Ok(SecretString::from(text)),
    }
}
