//! One object to a store in four ways: its rows by the way that `run` brings them there, its finished bytes by the part
//! of that way which comes after encoding, and the same bytes by the client library's plain `put` and by its upload of
//! parts.
//!
//! Each round writes objects of new names, as most nights do, and then the same once more, in the place of those, as a
//! repeated extraction does: a disk that gives back what was replaced takes its time for that.
//!
//! The rows are noise in values of 64 KiB, which no encoding makes smaller. Ours cuts the bytes into parts and digests
//! them on the way, and does not know beforehand how many will come; plain `put` has them all. The library's parts are
//! as large as ours and as many at once: what they cost more than a plain `put` is the store's, not ours. The digest of
//! the bytes alone is told beside: no upload that has one can be faster.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use chrono::{Days, NaiveDate};
use halo_extract::domain::Window;
use halo_extract::objects::{PartWriter, Store, object_path};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::convert;

const VALUE_BYTES: usize = 64 << 10;
const BATCH_VALUES: usize = 16;

/// As ours are for a bucket.
const PART_BYTES: usize = 8 << 20;
const PARTS_IN_FLIGHT: usize = 2;

/// Uploads `megabytes` to `address` in all four ways, in turns, and prints the seconds of each.
pub(crate) fn run(address: &str, megabytes: usize, rounds: usize) -> Result<(), Box<dyn Error>> {
    let (schema, batches) = noise(megabytes);
    let store = Store::open(address)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (client, root) = plain_client(address)?;
        let mut seconds = Seconds::default();
        let mut size_bytes = 0;
        // The first round warms connections and caches, and does not count.
        for round in 0..=rounds {
            let began = Instant::now();
            let path = publish_rows(&store, &schema, &batches, round).await?;
            let with_encoding = began.elapsed();
            let bytes = client.get(&join(&root, &path)).await?.bytes().await?;
            size_bytes = bytes.len();
            let names = ["ours", "plain", "parts"].map(|way| format!("simulator/{way}-{round}"));
            let began = Instant::now();
            std::hint::black_box(Sha256::digest(&bytes));
            let digest = began.elapsed();
            let new = in_three_ways(&store, &client, &root, &names, &bytes, round).await?;
            let replaced = in_three_ways(&store, &client, &root, &names, &bytes, round).await?;
            for path in names.iter().chain([&path]) {
                client.delete(&join(&root, path)).await?;
            }
            if round > 0 {
                seconds.rows.push(with_encoding.as_secs_f64());
                seconds.digest.push(digest.as_secs_f64());
                seconds.add(new, replaced);
            }
        }
        println!("{}", seconds.told(size_bytes));
        Ok(())
    })
}

/// Seconds of each round.
#[derive(Default)]
struct Seconds {
    rows: Vec<f64>,
    digest: Vec<f64>,
    new: [Vec<f64>; 3],
    replaced: [Vec<f64>; 3],
}

impl Seconds {
    fn add(&mut self, new: [f64; 3], replaced: [f64; 3]) {
        for (all, took) in self.new.iter_mut().zip(new) {
            all.push(took);
        }
        for (all, took) in self.replaced.iter_mut().zip(replaced) {
            all.push(took);
        }
    }

    fn told(&self, size_bytes: usize) -> serde_json::Value {
        let [ours, plain, parts] = &self.new;
        let [ours_again, plain_again, parts_again] = &self.replaced;
        serde_json::json!({
            "size_bytes": size_bytes,
            "rows": self.rows,
            "digest": self.digest,
            "ours": ours,
            "plain": plain,
            "parts": parts,
            "ours_again": ours_again,
            "plain_again": plain_again,
            "parts_again": parts_again,
        })
    }
}

/// Writes `bytes` by our way, by a plain put and by the library's parts, to a name each; the seconds of each.
///
/// Way number `first` begins: who comes after another may find memory and disk as that one left them.
async fn in_three_ways(
    store: &Store,
    client: &Arc<dyn ObjectStore>,
    root: &Path,
    names: &[String; 3],
    bytes: &Bytes,
    first: usize,
) -> Result<[f64; 3], Box<dyn Error>> {
    let mut seconds = [0.0; 3];
    for way in (first..first + 3).map(|turn| turn % 3) {
        let (path, bytes) = (join(root, &names[way]), bytes.clone());
        let began = Instant::now();
        match way {
            0 => publish_bytes(store, &names[way], bytes).await?,
            1 => drop(client.put(&path, bytes.into()).await?),
            _ => put_parts(client, &path, bytes).await?,
        }
        seconds[way] = began.elapsed().as_secs_f64();
    }
    Ok(seconds)
}

fn noise(megabytes: usize) -> (SchemaRef, Vec<RecordBatch>) {
    let schema = Arc::new(Schema::new(vec![Field::new(
        "noise",
        DataType::Binary,
        false,
    )]));
    let mut random = fastrand::Rng::with_seed(3);
    let batches = (0..megabytes * 1_000_000 / (VALUE_BYTES * BATCH_VALUES)).map(|_| {
        let values: Vec<Vec<u8>> = (0..BATCH_VALUES)
            .map(|_| {
                let mut value = vec![0; VALUE_BYTES];
                random.fill(&mut value);
                value
            })
            .collect();
        let column = BinaryArray::from_iter_values(values);
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]).expect("one column")
    });
    let batches = batches.collect();
    (schema, batches)
}

async fn publish_rows(
    store: &Store,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    round: usize,
) -> Result<String, Box<dyn Error>> {
    let mut extraction = convert::extraction()?;
    let first: NaiveDate = "2026-11-19".parse()?;
    extraction.window = Window::day(first + Days::new(round as u64));
    let provenance = convert::provenance(extraction);
    let path = object_path(provenance.environment, &provenance.extraction);
    let (to_stage, staged) = mpsc::channel(2);
    let sending = async {
        for batch in batches {
            if to_stage.send(batch.clone()).await.is_err() {
                break;
            }
        }
        drop(to_stage);
    };
    let extracted_at = "2026-11-20T17:00:00Z".parse()?;
    let staging = store.stage(&path, schema, &provenance, extracted_at, staged);
    let (staged, ()) = tokio::join!(staging, sending);
    Ok(staged?.publish().await?.path)
}

async fn publish_bytes(store: &Store, path: &str, bytes: Bytes) -> Result<(), Box<dyn Error>> {
    let write = move |sink: &mut PartWriter| {
        sink.write_all(&bytes)?;
        Ok(0)
    };
    store.stage_bytes(path, write).await?.publish().await?;
    Ok(())
}

async fn put_parts(
    client: &Arc<dyn ObjectStore>,
    path: &Path,
    bytes: Bytes,
) -> Result<(), Box<dyn Error>> {
    let upload = client.put_multipart(path).await?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
    for start in (0..bytes.len()).step_by(PART_BYTES) {
        writer.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        writer.put(bytes.slice(start..bytes.len().min(start + PART_BYTES)));
    }
    writer.finish().await?;
    Ok(())
}

/// The client library alone, with the same variables; a folder's files are synced, as ours are.
fn plain_client(address: &str) -> Result<(Arc<dyn ObjectStore>, Path), Box<dyn Error>> {
    if !address.contains("://") {
        let folder: PathBuf = address.into();
        let local = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        return Ok((Arc::new(local), Path::default()));
    }
    let variables = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let (store, root) = object_store::parse_url_opts(&address.parse()?, variables)?;
    Ok((Arc::from(store), root))
}

fn join(root: &Path, below: &str) -> Path {
    root.parts().chain(Path::from(below).parts()).collect()
}
