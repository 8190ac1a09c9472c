//! How fast pages become batches, and what the privacy rules add: `cargo bench --bench convert`.
//!
//! 600 MB of row JSON, 2 million rows × 14 columns such as a practice's visits and observations have, made
//! from a seed. Each line is the median of five runs on one thread, in CPU seconds where the system tells them,
//! so that a busy machine does not spoil the figures. The bare stages show what no converter could save.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use arrow::array::RecordBatch;
use halo_extract::convert::{Converter, DEFAULT_BATCH_ROWS, arrow_schema};
use halo_extract::domain::{Class, Column, Contract, PageNumber, Rule, SiteKey};
use halo_extract::privacy::{Deidentifier, PseudonymKey};

/// Distinct pages; the result goes round them, so that the data exceeds the processor's caches.
const PAGES: usize = 40;
const PAGE_BYTES: usize = 1 << 20;
const RUNS: usize = 5;

/// Bytes of the result: 600 MB, or a page if this is not `cargo bench`, to see that it works.
fn result_bytes() -> usize {
    if std::env::args().any(|argument| argument == "--bench") {
        600 << 20
    } else {
        1
    }
}

fn main() {
    let contract = contract();
    let mut random = Random(0x5EED);
    let pages: Vec<Vec<u8>> = (0..PAGES).map(|_| page(&mut random).into_bytes()).collect();
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let rounds = result_bytes().div_ceil(bytes);

    let mut report = Report {
        megabytes: (bytes * rounds) as f64 / 1e6,
    };
    report.measure("copy the pages", || {
        let mut copy = Vec::with_capacity(PAGE_BYTES * 2);
        for page in pages.iter().cycle().take(PAGES * rounds) {
            copy.clear();
            copy.extend_from_slice(black_box(page));
            black_box(&copy);
        }
    });
    report.measure("check their UTF-8", || {
        for page in pages.iter().cycle().take(PAGES * rounds) {
            assert!(simdutf8::basic::from_utf8(black_box(page)).is_ok());
        }
    });
    report.measure("serde_json to a tree, no more", || {
        for page in pages.iter().cycle().take(PAGES * rounds) {
            let rows: Vec<serde_json::Value> =
                serde_json::from_slice(black_box(page)).expect("a sound page");
            black_box(rows);
        }
    });
    report.measure("convert", || {
        let rows = convert(&contract, &pages, rounds, |batch| {
            black_box(batch);
        });
        black_box(rows);
    });
    let site: SiteKey = "s40123".parse().expect("a site key");
    let key = PseudonymKey::from_bytes(&[7; 32]).expect("32 bytes");
    let end = chrono::NaiveDate::from_ymd_opt(2026, 11, 19).expect("a day");
    let mut rules = Deidentifier::new(&contract, &arrow_schema(&contract), Some(&key), &site, end)
        .expect("rules that apply");
    report.measure("convert, and two pseudonyms", || {
        let rows = convert(&contract, &pages, rounds, |batch| {
            black_box(rules.apply(&batch));
        });
        black_box(rows);
    });
}

/// Converts the pages `rounds` times over and hands on the batches; gives the rows.
fn convert(
    contract: &Contract,
    pages: &[Vec<u8>],
    rounds: usize,
    mut sink: impl FnMut(RecordBatch),
) -> u64 {
    let query = "observation@v1".parse().expect("a query id");
    let mut converter = Converter::new(&query, contract, DEFAULT_BATCH_ROWS);
    for (number, page) in pages.iter().cycle().take(pages.len() * rounds).enumerate() {
        converter
            .push_page(PageNumber(number as u32 + 1), page)
            .expect("a sound page");
        if let Some(batch) = converter.take_batch() {
            sink(batch);
        }
    }
    if let Some(batch) = converter.finish() {
        sink(batch);
    }
    assert_eq!(converter.slow_rows(), 0);
    converter.rows()
}

/// CPU time of this thread where Linux tells it, else time on the wall.
struct Clock {
    wall: Instant,
    cpu: Option<f64>,
}

impl Clock {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: Self::cpu_seconds(),
        }
    }

    fn seconds(&self) -> f64 {
        match (self.cpu, Self::cpu_seconds()) {
            (Some(start), Some(end)) => end - start,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }

    fn cpu_seconds() -> Option<f64> {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds: f64 = statistics.split(' ').next()?.parse().ok()?;
        Some(nanoseconds / 1e9)
    }
}

struct Report {
    megabytes: f64,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
    fn measure(&mut self, name: &str, mut run: impl FnMut()) {
        let mut times: Vec<f64> = (0..RUNS)
            .map(|_| {
                let clock = Clock::start();
                run();
                clock.seconds()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let median = times[RUNS / 2];
        println!(
            "{name:<30} {median:>7.3} s {:>8.0} MB/s",
            self.megabytes / median
        );
    }
}

fn contract() -> Contract {
    let column = |name: &str, declared: &str, rule: Option<Rule>| Column {
        name: name.to_owned(),
        sql_type: declared
            .trim_end_matches(" not null")
            .parse()
            .expect(declared),
        nullable: !declared.ends_with(" not null"),
        class: Class::Clinical,
        rule,
        trim: false,
        offset: false,
        description: None,
    };
    let patient = || {
        Some(Rule::Pseudonym {
            kind: "patient".to_owned(),
        })
    };
    let provider = || {
        Some(Rule::Pseudonym {
            kind: "provider".to_owned(),
        })
    };
    Contract {
        columns: vec![
            column("RECORDID", "int not null", None),
            column("INTERNALID", "int not null", patient()),
            column("VISITID", "int", None),
            column("USERID", "int not null", provider()),
            column("OBSERVED", "datetime not null", None),
            column("CREATED", "datetime not null", None),
            column("UPDATED", "datetime", None),
            column("CODE", "smallint not null", None),
            column("VALUE", "decimal(12,3)", None),
            column("UNIT", "varchar(12)", None),
            column("REASON", "varchar(80)", None),
            column("REFERENCE", "varchar(24) not null", None),
            column("NOTE", "nvarchar(max)", None),
            column("ISACTIVE", "bit not null", None),
        ],
    }
}

/// SplitMix64: the same pages on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn moment(&mut self) -> String {
        format!(
            "\"20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}\"",
            10 + self.below(16),
            1 + self.below(12),
            1 + self.below(28),
            self.below(24),
            self.below(60),
            self.below(60)
        )
    }
}

const UNITS: [&str; 6] = ["mmHg", "kg", "cm", "mmol/L", "%", "bpm"];
const REASONS: [&str; 5] = [
    "Check up",
    "Hypertension review",
    "Immunisation",
    "Repeat prescription",
    "Diabetes annual cycle of care",
];
const WORDS: [&str; 10] = [
    "patient",
    "feels",
    "well",
    "naïve",
    "to",
    "therapy",
    "\\\"better\\\"",
    "\\r\\n",
    "caf\u{e9}",
    "reviewed",
];

fn page(random: &mut Random) -> String {
    let mut page = String::from("[");
    while page.len() < PAGE_BYTES {
        page.push_str(if page.len() == 1 { "{" } else { ",{" });
        row(&mut page, random);
        page.push('}');
    }
    page.push(']');
    page
}

fn row(page: &mut String, random: &mut Random) {
    let record = random.below(20_000_000);
    let patient = random.below(20_000);
    let observed = random.moment();
    let created = random.moment();
    let updated = if random.one_in(3) {
        random.moment()
    } else {
        "null".to_owned()
    };
    let value = if random.one_in(4) {
        "null".to_owned()
    } else {
        format!("{}.{:03}", random.below(300), random.below(1000))
    };
    let unit = UNITS[random.below(6) as usize];
    let reason = REASONS[random.below(5) as usize];
    let words: Vec<&str> = (0..random.below(12))
        .map(|_| WORDS[random.below(10) as usize])
        .collect();
    write!(
        page,
        "\"RECORDID\":{record},\"INTERNALID\":{patient},\"VISITID\":{},\"USERID\":{},\"OBSERVED\":{observed},\
         \"CREATED\":{created},\"UPDATED\":{updated},\"CODE\":{},\"VALUE\":{value},\"UNIT\":\"{unit}\",\
         \"REASON\":\"{reason}\",\"REFERENCE\":\"R{:016}\",\"NOTE\":\"{}\",\"ISACTIVE\":{}",
        random.below(9_000_000),
        random.below(40),
        random.below(400),
        random.below(10_000_000_000_000_000),
        words.join(" "),
        random.one_in(2)
    )
    .expect("memory takes what is written");
}
