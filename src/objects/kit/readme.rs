//! The README at the root of a lake, for the person who finds it.

use super::lake::Lake;
use crate::domain::Mode;

pub(super) fn text(lake: &Lake) -> String {
    let environment = lake.environment;
    let queries: Vec<String> = lake
        .queries
        .iter()
        .map(|query| {
            let mode = match query.mode {
                Mode::Snapshot => "all rows, each day",
                Mode::Incremental { .. } => "changed rows",
            };
            let key = query.row_key().join(", ");
            format!(
                "| {} | {mode} | {key} | {} |",
                query.id,
                query.purpose.replace(['\n', '|'], " ")
            )
        })
        .collect();
    let first = lake.queries.first();
    let example = first.map_or("observation".to_owned(), |query| query.id.name.to_string());
    format!(
        "# Extracts of general practices\n\n\
         De-identified extracts of practice databases, one Parquet file per practice, query and window, written each\n\
         night by halo-extract. Health information: keep it where it is, and do not try to find out who somebody is.\n\n\
         ## Start\n\n\
         ```sh\nduckdb -init {environment}/_meta/views/duckdb.sql\n```\n\n\
         ```sql\nSELECT _site, count(*) FROM {example}_latest GROUP BY ALL ORDER BY ALL;\n```\n\n\
         Views for Spark, Trino and Power Query lie beside it. Without views:\n\
         `{environment}/data/<query>/v<N>/site=<practice>/date=<first day>/*.parquet`.\n\n\
         ## What is where\n\n\
         | path below `{environment}/` | holds |\n|---|---|\n\
         | `data/` | the rows; a file appears complete or not at all, and a re-run replaces it |\n\
         | `_meta/coverage.parquet` | for each practice, query and day: expected, arrived, late, held, rows, reason. **The denominator** |\n\
         | `_meta/runs.parquet` | every attempt: when, how long, how many rows, how it ended |\n\
         | `_meta/manifests/` | per night: paths, sizes, digests and row counts, to check a copy against |\n\
         | `_meta/views/` | ready-made views |\n\
         | `_meta/staging/` | files in the making, on local disks only |\n\n\
         ## What is in it\n\n\
         | query | rows of a file | key within a practice | purpose |\n|---|---|---|---|\n{queries}\n\n\
         ## How to read it\n\n\
         - `<query>_latest` has the rows that stand, `<query>_history` every row of every window,\n  `<query>_as_of(day)` what stood by a day. A changed query gets a new version with its own path and views.\n\
         - The days of a past month may lie in one file: its `date=` is the first of them, and rows keep their own\n  `_window_start`. Filter by that.\n\
         - Windows overlap, so a changed row is in several files: count in `_latest`, not over the files.\n\
         - A file without rows means: asked, and there was nothing. No file means: look into the coverage.\n\
         - Each row ends with `_site`, `_window_start`, `_window_end` (half-open, the practice's own calendar) and\n  `_extracted_at` (UTC). Other times are the practice's local time without a zone.\n\
         - A pseudonym names the same person in every query of one practice, and nobody across practices.\n\
         - Each file's footer says query, version, fingerprint, window and attempt:\n  `SELECT * FROM parquet_kv_metadata('…')`.\n",
        queries = queries.join("\n"),
    )
}
