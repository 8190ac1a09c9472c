//! Places at which a test may end the process, or let it wait: those where a crash or a delay hurts most.
//!
//! Does nothing unless the variable `HALO_EXTRACT_FAIL_POINT` names the place: `<place>` ends the process there,
//! `<place>, waiting` stops it there until the test kills it, and `<place>, waiting for <file>` until that file exists; one
//! beside it with the extension `here` tells that the place was reached. Grep for `fail_point(` to see all places.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// What the process ends with.
const EXIT_CODE: i32 = 99;

/// Ends or stops the process if this place is named.
#[expect(clippy::exit, reason = "a crash is what is wanted here")]
pub(crate) fn fail_point(place: &str) {
    let Ok(named) = std::env::var("HALO_EXTRACT_FAIL_POINT") else {
        return;
    };
    match named.strip_prefix(place) {
        Some("") => std::process::exit(EXIT_CODE),
        Some(", waiting") => loop {
            std::thread::park();
        },
        Some(waiting) => {
            if let Some(file) = waiting.strip_prefix(", waiting for ") {
                wait_for(Path::new(file));
            }
        }
        None => {}
    }
}

fn wait_for(file: &Path) {
    // A test that does not see it waits no longer than it has patience.
    drop(fs::write(file.with_extension("here"), ""));
    while !file.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
