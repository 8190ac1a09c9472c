//! The bare stages, one thread, each alone: what no converter could save.

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;

use arrow::array::RecordBatch;
use halo_extract::convert::{Converter, DEFAULT_BATCH_ROWS};
use halo_extract::domain::PageNumber;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnPath;
use serde::de::IgnoredAny;
use sha2::Digest;

use crate::cpu::timed;
use crate::{pages, rows};

/// Rows of a row group, as the object has.
const ROW_GROUP_ROWS: usize = 131_072;

#[derive(Default)]
struct Stages {
    read: f64,
    base64: f64,
    utf8: f64,
    quotes: f64,
    scan: f64,
    convert: f64,
    encode: f64,
    digest: f64,
}

/// Measures each stage over the pages of `folder`; encodes as `object`, which was made of them, is encoded.
pub(crate) fn run(folder: &Path, object: &Path) -> Result<(), Box<dyn Error>> {
    let contract = rows::contract(false);
    let mut converter = Converter::new(&"observation@v1".parse()?, &contract, DEFAULT_BATCH_ROWS);
    let mut writer = ArrowWriter::try_new(
        std::io::sink(),
        converter.schema(),
        Some(encoded_as(object)?),
    )?;
    let mut stages = Stages::default();
    for (number, file) in (1..).zip(pages::files(folder)?) {
        let mut body = timed(&mut stages.read, || fs::read(file))?;
        let end = body.len() - 2;
        let json = timed(&mut stages.base64, || {
            base64_simd::STANDARD
                .decode_inplace(&mut body[9..end])
                .map(|json| &*json)
        })?;
        timed(&mut stages.utf8, || {
            black_box(simdutf8::basic::from_utf8(json).is_ok())
        });
        timed(&mut stages.quotes, || {
            black_box(memchr::memchr2_iter(b'"', b'\\', json).count())
        });
        timed(&mut stages.scan, || {
            serde_json::from_slice::<IgnoredAny>(json)
        })?;
        let batch = timed(&mut stages.convert, || {
            let pushed = converter.push_page(PageNumber(number), json);
            pushed.map(|_| converter.take_batch())
        })?;
        if let Some(batch) = batch {
            encode(&mut writer, &batch, &mut stages.encode)?;
        }
    }
    if let Some(batch) = converter.finish() {
        encode(&mut writer, &batch, &mut stages.encode)?;
    }
    timed(&mut stages.encode, || writer.close())?;
    let bytes = fs::read(object)?;
    timed(&mut stages.digest, || {
        black_box(sha2::Sha256::digest(&bytes))
    });
    println!(
        "{}",
        serde_json::json!({
            "read": stages.read,
            "base64": stages.base64,
            "utf8": stages.utf8,
            "quotes": stages.quotes,
            "scan": stages.scan,
            "convert": stages.convert,
            "encode": stages.encode,
            "digest": stages.digest,
        })
    );
    Ok(())
}

fn encode(
    writer: &mut ArrowWriter<std::io::Sink>,
    batch: &RecordBatch,
    sum: &mut f64,
) -> Result<(), Box<dyn Error>> {
    Ok(timed(sum, || writer.write(batch))?)
}

/// The writer's settings under which `object` was written.
fn encoded_as(object: &Path) -> Result<WriterProperties, Box<dyn Error>> {
    let reader = SerializedFileReader::new(File::open(object)?)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page);
    for column in reader.metadata().row_group(0).columns() {
        let path: ColumnPath = column.column_path().clone();
        let delta = column.encodings().find(|encoding| {
            matches!(
                encoding,
                Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY
            )
        });
        if let Some(delta) = delta {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, delta);
        }
    }
    Ok(properties.build())
}
