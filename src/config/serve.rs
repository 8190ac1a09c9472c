//! `[serve]`: what the service answers to.

use std::net::SocketAddr;

use super::{Layers, Secret};

/// What the service answers to.
#[derive(Debug, Clone)]
pub struct Serve {
    /// Where it listens for questions about its health, and for notices of Halo Cloud.
    pub listen: SocketAddr,
    /// Where the secret is found with which Halo Cloud signs its notices; without it notices are not taken.
    pub webhook_secret: Secret,
}

impl Serve {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            listen: layers
                .text("serve.listen")
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            webhook_secret: Secret::setting(layers, "serve.webhook_secret"),
        }
    }
}
