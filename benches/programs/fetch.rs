//! A result fetched and thrown away: what the other side and the wire take, whatever becomes of the rows.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use halo_extract::domain::HaloGuid;
use halo_extract::remote::{Client, Patience, Settings, Statement};
use tokio_util::sync::CancellationToken;

/// How long to wait between looks at a query: as all that are compared do.
const POLL: Duration = Duration::from_millis(50);

/// Asks the first site of the stand-in whose ready line is in `ready` the query on stdin.
pub(crate) fn run(ready: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(ready)?)?;
    let told = |place: &serde_json::Value| place.as_str().unwrap_or_default().to_owned();
    let client = Client::new(Settings {
        base_url: told(&ready["url"]).parse()?,
        key: told(&ready["subscription_key"]).into(),
        // The others that are compared keep no pace either.
        calls_per_second: 100_000,
        ..Settings::default()
    })?;
    let site: HaloGuid = told(&ready["sites"][0]["halo_guid"]).parse()?;
    let statement = Statement {
        text: std::io::read_to_string(std::io::stdin())?,
        catalogue: None,
        parameters: Vec::new(),
        max_time_in_queue: Duration::from_secs(3600),
    };
    let patience = Patience {
        just_posted: true,
        poll_first: POLL,
        poll_most: POLL,
        deadline: Duration::from_secs(600),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let query = client.submit(site, &statement).await?;
        let result = client.wait(site, query, &patience, &cancel).await?;
        if result.rows != rows {
            return Err(format!("{} rows instead of {rows}", result.rows).into());
        }
        let mut pages = client.pages(site, query, &result, cancel);
        let mut size_bytes = 0;
        while let Some(page) = pages.next().await {
            size_bytes += page?.size_bytes();
        }
        println!("{{\"rows\":{rows},\"size_bytes\":{size_bytes}}}");
        Ok(())
    })
}
