//! The straightforward Rust program: SIMD base64, arrow-json, ArrowWriter.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use arrow_json::ReaderBuilder;
use halo_extract::convert::{DEFAULT_BATCH_ROWS, arrow_schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::{pages, rows};

/// Rows of a row group, as ours and the peers' have.
const ROW_GROUP_ROWS: usize = 131_072;

/// Converts the pages of `folder` into the Parquet file `file`.
pub(crate) fn run(folder: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let schema = arrow_schema(&rows::contract(false));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(file)?, schema.clone(), Some(properties))?;
    let mut decoder = ReaderBuilder::new(schema)
        .with_batch_size(DEFAULT_BATCH_ROWS)
        .build_decoder()?;
    for page in pages::files(folder)? {
        let body = fs::read(page)?;
        let data = body
            .strip_prefix(b"{\"data\":\"")
            .and_then(|rest| rest.strip_suffix(b"\"}"))
            .ok_or("not an envelope")?;
        let mut json = base64_simd::STANDARD.decode_to_vec(data)?;
        separate_by_lines(&mut json);
        let mut rest = json.as_slice();
        while !rest.is_empty() {
            let read = decoder.decode(rest)?;
            rest = &rest[read..];
            if !rest.is_empty()
                && let Some(batch) = decoder.flush()?
            {
                writer.write(&batch)?;
            }
        }
    }
    if let Some(batch) = decoder.flush()? {
        writer.write(&batch)?;
    }
    let footer = writer.close()?;
    println!("{{\"rows\":{}}}", footer.file_metadata().num_rows());
    Ok(())
}

/// The reader takes rows, not an array of them: its brackets and the commas between rows become white space.
fn separate_by_lines(json: &mut [u8]) {
    let between: Vec<usize> = memchr::memmem::find_iter(json, b"},{\"RECORDID\"").collect();
    for at in between {
        json[at + 1] = b'\n';
    }
    if let [first, .., last] = json {
        (*first, *last) = (b' ', b' ');
    }
}
