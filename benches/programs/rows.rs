//! The rows of the benchmarks: as a practice's visits and observations have them, made from a seed.
//!
//! 14 columns: whole numbers, local times, a decimal with nulls, text of few, of some and of many values, notes
//! with accents and escapes, a flag. About 300 bytes of JSON a row.

use std::fmt::Write;

use halo_extract::domain::{Class, Column, Contract, Rule};

/// The contract of the rows; with `pseudonyms`, patient and provider are identifiers.
pub(crate) fn contract(pseudonyms: bool) -> Contract {
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
    let identifier = |kind: &str| {
        pseudonyms.then(|| Rule::Pseudonym {
            kind: kind.to_owned(),
        })
    };
    Contract {
        columns: vec![
            column("RECORDID", "int not null", None),
            column("INTERNALID", "int not null", identifier("patient")),
            column("VISITID", "int", None),
            column("USERID", "int not null", identifier("provider")),
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
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
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

/// Appends the JSON array of `count` rows, the first of which is number `first` of its result.
pub(crate) fn array(page: &mut String, first: u64, count: u64, random: &mut Random) {
    page.push('[');
    for number in first..first + count {
        page.push_str(if number == first { "{" } else { ",{" });
        row(page, number, random);
        page.push('}');
    }
    page.push(']');
}

fn row(page: &mut String, record: u64, random: &mut Random) {
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
