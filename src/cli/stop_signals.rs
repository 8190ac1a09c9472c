//! What asks the program to stop: Ctrl-C or, on Unix, termination.

use super::exit_code::ExitCode;

/// Hears every request to stop from the moment it is made, also while nobody waits for one.
///
/// A listener made only when it is waited on misses what came before; and once any has been made, the system no longer
/// ends the program by itself.
pub(crate) struct StopSignals {
    #[cfg(unix)]
    listeners: Option<[tokio::signal::unix::Signal; 2]>,
}

impl StopSignals {
    /// Begins to listen. To be called where a runtime is entered.
    pub(crate) fn listen() -> Self {
        Self {
            #[cfg(unix)]
            listeners: {
                use tokio::signal::unix::{SignalKind, signal};
                let listeners = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
                let [interrupt, terminate] = listeners;
                interrupt.ok().zip(terminate.ok()).map(<[_; 2]>::from)
            },
        }
    }

    /// The next request, as the exit code that it stands for.
    pub(crate) async fn next(&mut self) -> ExitCode {
        #[cfg(unix)]
        if let Some([interrupt, terminate]) = &mut self.listeners {
            return tokio::select! {
                _ = interrupt.recv() => ExitCode::Interrupted,
                _ = terminate.recv() => ExitCode::Terminated,
            };
        }
        drop(tokio::signal::ctrl_c().await);
        ExitCode::Interrupted
    }
}
