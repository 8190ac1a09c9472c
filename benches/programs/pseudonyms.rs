//! What pseudonyms cost by themselves.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use halo_extract::convert::arrow_schema;
use halo_extract::domain::{Contract, SiteKey};
use halo_extract::privacy::{Deidentifier, PseudonymKey};

use crate::cpu::timed;
use crate::rows::{self, Random};

const BATCH_ROWS: usize = 16_384;

/// Makes the pseudonyms of two columns of `rows` rows, drawn from `values` patients and 40 providers.
pub(crate) fn run(rows: usize, values: u64) -> Result<(), Box<dyn Error>> {
    let mut contract: Contract = rows::contract(true);
    contract.columns.retain(|column| column.rule.is_some());
    let site: SiteKey = "s40123".parse()?;
    let key = PseudonymKey::from_bytes(&[7; 32])?;
    let schema = arrow_schema(&contract);
    let mut rules =
        Deidentifier::new(&contract, &schema, Some(&key), &site, "2026-11-20".parse()?)?;
    let mut random = Random(0x5EED);
    let mut column = |values: u64| -> Int32Array {
        (0..BATCH_ROWS)
            .map(|_| random.below(values) as i32)
            .collect()
    };
    let mut cpu = 0.0;
    for _ in 0..rows.div_ceil(BATCH_ROWS) {
        let columns = vec![Arc::new(column(values)) as _, Arc::new(column(40)) as _];
        let batch = RecordBatch::try_new(schema.clone(), columns)?;
        timed(&mut cpu, || black_box(rules.apply(&batch)));
    }
    println!("{{\"cpu_seconds\":{cpu:.4}}}");
    Ok(())
}
