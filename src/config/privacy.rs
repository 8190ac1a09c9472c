//! `[privacy]`: de-identification.

use super::{Layers, Secret};

/// De-identification.
#[derive(Debug, Clone)]
pub struct Privacy {
    /// Where the secret is found under which identifiers become pseudonyms.
    pub pseudonym_key: Secret,
}

impl Privacy {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            pseudonym_key: Secret::setting(layers, "privacy.pseudonym_key"),
        }
    }
}
