//! Page files: each is one answer of the API, an envelope with base64, about 1 MB of row JSON.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::rows::{self, Random};

/// Rows of a page: about 1 MB.
const PAGE_ROWS: u64 = 3_200;

/// Writes page files for `rows` rows into `folder`, which must not exist.
pub(crate) fn write(folder: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    fs::create_dir(folder)?;
    let mut random = Random(0x5EED);
    let (mut page, mut json_bytes) = (String::new(), 0);
    for number in 0..rows.div_ceil(PAGE_ROWS) {
        let first = number * PAGE_ROWS;
        page.clear();
        rows::array(&mut page, first, PAGE_ROWS.min(rows - first), &mut random);
        json_bytes += page.len();
        let body = format!(
            "{{\"data\":\"{}\"}}",
            base64_simd::STANDARD.encode_to_string(&page)
        );
        fs::write(folder.join(format!("{:06}.json", number + 1)), body)?;
    }
    println!("{{\"rows\":{rows},\"json_bytes\":{json_bytes}}}");
    Ok(())
}

/// The page files in order.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = entries.collect::<Result<Vec<_>, std::io::Error>>()?;
    files.sort();
    Ok(files)
}
