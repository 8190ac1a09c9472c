//! What the benchmarks in `benches/` run and measure from outside: `benches/run NAME`.
//!
//! One program, one sub-command for each thing that is measured, so that each is a process of its own whose
//! time and memory the operating system tells. Figures that only the inside knows are printed as one JSON object.

#![expect(
    clippy::print_stdout,
    reason = "a program of the benchmarks prints its figures"
)]

mod arrow_json;
mod cloud;
mod convert;
mod cpu;
mod fetch;
mod google;
#[path = "../../tests/it/google_stub.rs"]
#[expect(dead_code, reason = "the tests switch faults on, benchmarks do not")]
mod google_stub;
mod load;
mod night;
mod pages;
mod pseudonyms;
mod rows;
mod sites;
mod stages;
mod upload;

use std::error::Error;

const USAGE: &str = "usage: programs COMMAND
  pages FOLDER ROWS                  write page files as the API sends them
  convert FOLDER OBJECT [pseudonyms] page files to one object, with everything that `run` does after fetching
  arrow-json FOLDER FILE             the same by arrow-json and ArrowWriter, as anybody would write it
  stages FOLDER OBJECT               CPU of the bare stages, the object's encodings
  pseudonyms ROWS VALUES             CPU of two pseudonym columns of as many different values
  cloud PAGE_ROWS                    a stand-in for the API that invents each page when it is asked for
  fetch READY ROWS                   fetch a result and throw it away
  sites READY HOME                   register the sites of a stand-in in the ledger of HOME
  night fill HOME SITES QUERIES NIGHTS   a ledger of so many nights
  night plan HOME QUERIES            plan the next night, and look again
  night work HOME EXTRACTIONS        claim and record so many of that night
  load READY QUERIES AT_ONCE POLL_MS ask every site the query on stdin so often, and throw the answers away
  google                             a stand-in for Google Cloud Storage; prints its port
  upload ADDRESS MEGABYTES ROUNDS    one object to a store, by us and by the client library's plain put";

fn main() -> Result<(), Box<dyn Error>> {
    halo_extract::cli::keep_freed_memory();
    // `cargo bench` appends a flag of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["pages", folder, rows] => pages::write(folder.as_ref(), rows.parse()?),
        ["convert", folder, object] => convert::run(folder.as_ref(), object.as_ref(), false),
        ["convert", folder, object, "pseudonyms"] => {
            convert::run(folder.as_ref(), object.as_ref(), true)
        }
        ["arrow-json", folder, file] => arrow_json::run(folder.as_ref(), file.as_ref()),
        ["stages", folder, object] => stages::run(folder.as_ref(), object.as_ref()),
        ["pseudonyms", rows, values] => pseudonyms::run(rows.parse()?, values.parse()?),
        ["cloud", page_rows] => cloud::run(page_rows.parse()?),
        ["fetch", ready, rows] => fetch::run(ready.as_ref(), rows.parse()?),
        ["night", "fill", home, sites, queries, nights] => night::fill(
            home.as_ref(),
            sites.parse()?,
            queries.parse()?,
            nights.parse()?,
        ),
        ["night", "plan", home, queries] => night::plan(home.as_ref(), queries.parse()?),
        ["night", "work", home, extractions] => night::work(home.as_ref(), extractions.parse()?),
        ["load", ready, queries, at_once, poll_ms] => load::run(
            ready.as_ref(),
            queries.parse()?,
            at_once.parse()?,
            std::time::Duration::from_millis(poll_ms.parse()?),
        ),
        ["sites", ready, home] => sites::register(ready.as_ref(), home.as_ref()),
        ["google"] => google::serve(),
        ["upload", address, megabytes, rounds] => {
            upload::run(address, megabytes.parse()?, rounds.parse()?)
        }
        _ => {
            println!("{USAGE}");
            Ok(())
        }
    }
}
