//! The tests' stand-in for Google Cloud Storage, as a process of its own.

use std::error::Error;
use std::io::Write;

use crate::google_stub::GoogleStub;

/// Serves until it is ended; its port is the first line.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let stub = GoogleStub::start().await;
        println!("{}", stub.port);
        std::io::stdout().flush()?;
        std::future::pending::<()>().await;
        Ok(())
    })
}
