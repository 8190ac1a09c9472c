//! Reports that laboratories send: a head and its values, most of them numbers, all of them text.

use chrono::Days;

use super::consultation::Encounter;
use super::life::Practice;
use super::records::{Investigation, ReportValue};

/// An analyte: vendor code, name, LOINC code or blank, units, range.
struct Analyte {
    bp_code: i32,
    name: &'static str,
    loinc: &'static str,
    units: &'static str,
    range: &'static str,
    /// Smallest and largest value, in units of the last digit.
    values: (i32, i32),
    /// Digits after the decimal point.
    decimals: u32,
}

const fn analyte(
    bp_code: i32,
    name: &'static str,
    loinc: &'static str,
    units: &'static str,
    range: &'static str,
    values: (i32, i32),
    decimals: u32,
) -> Analyte {
    Analyte {
        bp_code,
        name,
        loinc,
        units,
        range,
        values,
        decimals,
    }
}

const HBA1C: &[Analyte] = &[analyte(1, "HbA1c", "4548-4", "%", "4.0-6.0", (52, 98), 1)];
const HBA1C_SI: &[Analyte] = &[analyte(
    19,
    "HbA1c (IFCC)",
    "59261-8",
    "mmol/mol",
    "20-42",
    (33, 86),
    0,
)];
const LIPIDS: &[Analyte] = &[
    analyte(2, "Cholesterol", "14647-2", "mmol/L", "<5.5", (31, 78), 1),
    analyte(
        3,
        "HDL Cholesterol",
        "14646-4",
        "mmol/L",
        ">1.0",
        (7, 24),
        1,
    ),
    analyte(4, "LDL Cholesterol", "", "mmol/L", "<3.5", (12, 52), 1),
    analyte(5, "Triglycerides", "14927-8", "mmol/L", "<2.0", (5, 41), 1),
];
const RENAL: &[Analyte] = &[
    analyte(6, "Creatinine", "14682-9", "umol/L", "45-90", (42, 180), 0),
    analyte(16, "eGFR", "62238-1", "mL/min", ">60", (22, 99), 0),
];
const GLUCOSE: &[Analyte] = &[analyte(
    14,
    "Glucose, fasting",
    "14771-0",
    "mmol/L",
    "3.0-6.0",
    (38, 122),
    1,
)];
const ACR: &[Analyte] = &[analyte(
    17,
    "Albumin/Creatinine Ratio",
    "14959-1",
    "mg/mmol",
    "<3.5",
    (3, 320),
    1,
)];
const INR: &[Analyte] = &[analyte(12, "INR", "6301-6", "", "2.0-3.0", (8, 45), 1)];
const BOWEL: &[Analyte] = &[analyte(
    0,
    "Faecal Occult Blood",
    "29771-3",
    "",
    "",
    (0, 0),
    0,
)];

/// Words that stand where a number is expected.
const WORDS: &[&str] = &["", "Pending", "See report", "haemolysed", "*"];

impl Practice {
    /// Reports that came in and were filed at this visit: collected and reported on days before it.
    pub(super) fn receive_reports(&mut self, encounter: &Encounter) {
        let profile = &self.profiles[encounter.patient];
        let (diabetes, chronic) = (profile.diabetes, profile.is_chronic());
        let age = encounter.age;
        let si = self.chance.percent(40);
        let panels: [(&'static str, &'static [Analyte], u32); 7] = [
            (
                "HBA1C",
                if si { HBA1C_SI } else { HBA1C },
                if diabetes { 24 } else { 2 },
            ),
            ("LIPID STUDIES", LIPIDS, if age >= 45 { 14 } else { 3 }),
            (
                "UREA ELECTROLYTES CREATININE",
                RENAL,
                if chronic { 16 } else { 4 },
            ),
            ("FASTING GLUCOSE", GLUCOSE, if age >= 45 { 9 } else { 2 }),
            ("URINE ACR", ACR, if diabetes { 12 } else { 1 }),
            ("INR", INR, if age >= 65 { 2 } else { 0 }),
            (
                "FHB NATIONAL BOWEL SCREENING",
                BOWEL,
                if (50..75).contains(&age) { 5 } else { 0 },
            ),
        ];
        for (test_name, analytes, percent) in panels {
            if self.chance.percent(percent) {
                self.file_report(encounter, test_name, analytes);
            }
        }
    }

    fn file_report(
        &mut self,
        encounter: &Encounter,
        test_name: &'static str,
        analytes: &'static [Analyte],
    ) {
        let filed = encounter.written.date();
        let audit = self.audit(encounter);
        let report_id = self.population.investigations.next_key();
        let collected = filed - Days::new(u64::try_from(self.chance.between(1, 9)).unwrap_or(1));
        let confidential = self.chance.per_mille(6);
        self.population.investigations.push(Investigation {
            report_id,
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            requested: collected - Days::new(2),
            collected,
            reported: filed - Days::new(1),
            test_name,
            normal: self.chance.percent(70),
            confidential,
            checked: self.chance.percent(92).then_some(filed),
            audit: audit.clone(),
        });
        for analyte in analytes {
            let result_value = self.result(analyte);
            self.population.report_values.push(ReportValue {
                record_id: self.population.report_values.next_key(),
                report_id,
                internal_id: encounter.internal_id,
                reported: filed - Days::new(1),
                result_name: analyte.name,
                loinc_code: analyte.loinc,
                bp_code: analyte.bp_code,
                result_value,
                units: analyte.units,
                range: analyte.range,
                abnormal_flag: self.chance.pick::<&str>(&["", "", "", "H", "L"]),
                audit: audit.clone(),
            });
        }
    }

    fn result(&mut self, analyte: &Analyte) -> String {
        if analyte.bp_code == 0 {
            return (*self.chance.pick(&["Negative", "Negative", "POSITIVE"])).to_owned();
        }
        let (low, high) = analyte.values;
        let value = self.chance.around(low, high);
        match self.chance.between(0, 199) {
            0 => (*self.chance.pick(WORDS)).to_owned(),
            1..=4 => format!("<{}", decimal(low, analyte.decimals)),
            5..=8 => format!(">{}", decimal(high, analyte.decimals)),
            _ => decimal(value, analyte.decimals),
        }
    }
}

/// `value` with its last `decimals` digits behind the point.
pub(super) fn decimal(value: i32, decimals: u32) -> String {
    if decimals == 0 {
        return value.to_string();
    }
    let unit = 10_i32.pow(decimals);
    let width = decimals as usize;
    format!("{}.{:0width$}", value / unit, value % unit)
}
