//! Page files → one object: all that `run` does with a page once it is fetched.

use std::error::Error;
use std::fs;
use std::path::Path;

use halo_extract::convert::{Converter, DEFAULT_BATCH_ROWS};
use halo_extract::domain::{
    AttemptNumber, Environment, Extraction, PageNumber, PmsType, Proof, RemoteQueryId, Sha256,
    Window,
};
use halo_extract::extract::Conversion;
use halo_extract::objects::{Provenance, Store};
use halo_extract::privacy::{Deidentifier, PseudonymKey};
use halo_extract::remote::Page;
use tokio::sync::mpsc;

use crate::{pages, rows};

/// As many as the pipeline of an attempt lets wait.
const WAITING: usize = 2;

/// Converts the pages of `folder` into `object`.
pub(crate) fn run(folder: &Path, object: &Path, pseudonyms: bool) -> Result<(), Box<dyn Error>> {
    let files = pages::files(folder)?;
    let contract = rows::contract(pseudonyms);
    let extraction = extraction()?;
    let key = PseudonymKey::from_bytes(&[7; 32])?;
    let converter = Converter::new(&extraction.query, &contract, DEFAULT_BATCH_ROWS);
    let deidentifier = Deidentifier::new(
        &contract,
        &converter.schema(),
        Some(&key),
        &extraction.site,
        extraction.window.end(),
    )?;
    let store = Store::open(&object.parent().ok_or("no folder")?.display().to_string())?;
    let path = object
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or("no name")?;
    let extracted_at = "2026-11-20T17:00:00Z".parse()?;
    let schema = deidentifier.schema();

    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (page_sender, mut page_receiver) = mpsc::channel(WAITING);
        let (batch_sender, batch_receiver) = mpsc::channel(WAITING);
        let reading = tokio::task::spawn_blocking(move || {
            for (number, file) in (1..).zip(files) {
                let page = Page::new(PageNumber(number), None, fs::read(file)?);
                if page_sender.blocking_send(page).is_err() {
                    break;
                }
            }
            Ok::<_, std::io::Error>(())
        });
        let pages = std::iter::from_fn(move || page_receiver.blocking_recv());
        let (conversion, verdict) = Conversion::new(pages, converter, deidentifier);
        conversion.send_to(batch_sender);
        let provenance = provenance(extraction);
        let staged = store
            .stage(path, &schema, &provenance, extracted_at, batch_receiver)
            .await?;
        reading.await??;
        let converted = verdict.told().await?;
        let proof = Proof {
            declared: converted.declared,
            pages: converted.declared,
            batches: converted.rows,
            footer: staged.rows_in_footer(),
            withheld: None,
        };
        let rows = proof.rows()?;
        let published = staged.publish().await?;
        println!(
            "{{\"rows\":{rows},\"size_bytes\":{}}}",
            published.size_bytes
        );
        Ok(())
    })
}

pub(crate) fn extraction() -> Result<Extraction, Box<dyn Error>> {
    Ok(Extraction {
        site: "s40123".parse()?,
        query: "observation@v1".parse()?,
        window: Window::day("2026-11-19".parse()?),
    })
}

pub(crate) fn provenance(extraction: Extraction) -> Provenance {
    Provenance {
        environment: Environment::Simulator,
        extraction,
        fingerprint: "0"
            .repeat(64)
            .parse()
            .expect("64 hex digits are a fingerprint"),
        variant: None,
        contract_hash: Sha256([0; 32]),
        privacy_hash: Sha256([0; 32]),
        pseudonym_key_id: None,
        pms_type: PmsType::BestPractice,
        link_version: None,
        remote_query_id: RemoteQueryId(uuid::Uuid::nil()),
        attempt: AttemptNumber(1),
        rows_declared: 0,
        rows_withheld: None,
        merged: Vec::new(),
    }
}
