//! Code tables: what the numbers in the other tables mean.
//!
//! Codes that the public notes name are those of the notes. Where only the texts are known (sex, ethnicity,
//! patient status, appointment status), the numbers are invented: queries decode them by joining the table,
//! as they must at a real practice.

use super::{products, vaccines};

/// The catalogue of patients, visits and money.
pub(super) const PATIENTS: &str = "BPSPatients";
/// The catalogue of products and vaccines.
pub(super) const DRUGS: &str = "BPSDrugs";

/// A code table: catalogue, name, columns with their types, rows of numbers and texts.
pub(super) struct Lookup {
    pub(super) catalogue: &'static str,
    pub(super) table: &'static str,
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell of a code table.
pub(super) enum Cell {
    Number(u32),
    Text(&'static str),
    Owned(String),
}

/// All code tables; `practice_name` stands in `PRACTICE`.
pub(super) fn all(practice_name: &str) -> Vec<Lookup> {
    let mut lookups = patient_lookups();
    lookups.extend(clinical_lookups());
    lookups.extend(vaccines::tables());
    lookups.extend(products::tables());
    lookups.push(Lookup {
        catalogue: PATIENTS,
        table: "PRACTICE",
        columns: &[
            ("PRACTICENAME", "char(100)"),
            ("HPIO", "char(16)"),
            ("ABN", "char(14)"),
            ("PIPNUMBER", "char(12)"),
        ],
        rows: vec![vec![
            Cell::Owned(practice_name.to_owned()),
            Cell::Text(""),
            Cell::Text(""),
            Cell::Text(""),
        ]],
    });
    lookups
}

fn codes(
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: &[(u32, &'static str)],
) -> Lookup {
    Lookup {
        catalogue: PATIENTS,
        table,
        columns,
        rows: rows
            .iter()
            .map(|&(code, text)| vec![Cell::Number(code), Cell::Text(text)])
            .collect(),
    }
}

fn patient_lookups() -> Vec<Lookup> {
    vec![
        codes(
            "SEX",
            &[("SEXCODE", "int not null"), ("SEX", "char(10)")],
            &[(1, "Female"), (2, "Male"), (3, "Other")],
        ),
        codes(
            "ETHNICITY",
            &[("ETHNICCODE", "int not null"), ("ETHNICTYPE", "char(50)")],
            &[
                (1, "Aboriginal"),
                (2, "Torres Strait Islander"),
                (3, "Aboriginal/Torres Strait Islander"),
                (4, "Neither Aboriginal nor Torres Strait Islander"),
                (1013, "New Zealander"),
            ],
        ),
        codes(
            "PATIENTSTATUS",
            &[("STATUSCODE", "int not null"), ("STATUSTEXT", "char(12)")],
            &[(1, "Active"), (2, "Inactive"), (3, "Deceased")],
        ),
        codes(
            "TITLES",
            &[("TITLECODE", "int not null"), ("TITLE", "char(30)")],
            &[(1, "Ms"), (2, "Mr"), (3, "Mrs"), (4, "Mx"), (5, "Dr")],
        ),
        codes(
            "PENSIONTYPE",
            &[("PENSIONCODE", "int not null"), ("PENSIONTYPE", "char(40)")],
            &[
                (1, "Pension card"),
                (2, "Health care card"),
                (3, "Seniors card"),
            ],
        ),
        codes(
            "USERGROUPS",
            &[("GROUPCODE", "int not null"), ("GROUPNAME", "char(60)")],
            &[(1, "General practitioner"), (2, "Nurse"), (3, "Reception")],
        ),
        codes(
            "APPOINTMENTCODES",
            &[
                ("APPOINTMENTCODE", "int not null"),
                ("DESCRIPTION", "char(20)"),
            ],
            &[
                (1, "Booked"),
                (2, "Waiting"),
                (3, "With doctor"),
                (4, "At billing"),
                (5, "Completed"),
                (7, "Did not attend"),
            ],
        ),
        codes(
            "APPOINTMENTTYPES",
            &[
                ("APPOINTMENTCODE", "int not null"),
                ("DESCRIPTION", "char(250)"),
            ],
            &[
                (1, "Standard consultation"),
                (2, "Long consultation"),
                (3, "Care plan"),
                (4, "Vaccination"),
            ],
        ),
    ]
}

fn clinical_lookups() -> Vec<Lookup> {
    vec![
        codes(
            "VISITTYPE",
            &[("VISITCODE", "int not null"), ("VISITTYPE", "char(20)")],
            &[
                (1, "Surgery"),
                (2, "Home"),
                (3, "Hospital"),
                (6, "RACF"),
                (7, "Telephone"),
                (12, "Non Visit"),
                (13, "Telehealth"),
            ],
        ),
        codes(
            "SMOKINGSTATUS",
            &[("SMOKINGCODE", "int not null"), ("SMOKINGTEXT", "char(20)")],
            &[(1, "Non smoker"), (2, "Ex smoker"), (3, "Smoker")],
        ),
        codes(
            "CSTCODES",
            &[("CSTCODE", "int not null"), ("CSTTYPE", "char(12)")],
            &[(1, "PAP"), (2, "CST"), (3, "CST self")],
        ),
        codes(
            "PAPRESULTS",
            &[("PAPCODE", "int not null"), ("PAPRESULT", "char(30)")],
            &[
                (1, "Negative"),
                (2, "Low-grade change"),
                (3, "High-grade change"),
                (4, "Unsatisfactory"),
            ],
        ),
        codes(
            "SEVERITYCODES",
            &[("SEVERITYCODE", "int not null"), ("SEVERITY", "char(20)")],
            &[(1, "Mild"), (2, "Moderate"), (3, "Severe")],
        ),
    ]
}

/// A table of the drug database.
pub(super) fn drugs(
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: Vec<Vec<Cell>>,
) -> Lookup {
    Lookup {
        catalogue: DRUGS,
        table,
        columns,
        rows,
    }
}
