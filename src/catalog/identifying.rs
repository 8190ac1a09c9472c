//! Columns that are known to point at a person, by name or by type.
//!
//! From the practice system's public schema and the names that people give such columns. The list
//! guards against accident, not intent: it cannot know what it does not name.

use crate::domain::{Length, SqlType};

/// Text longer than this is where people write what they like.
const LONGEST_CODED_TEXT: u32 = 255;

/// At whom, and by what, a column of this name points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PointsAt {
    /// The key of a patient or of a patient's relative.
    Patient,
    /// The key of a doctor or of staff.
    Provider,
    /// Name, address, number or secret of anybody.
    Person,
    /// A date of birth.
    Birth,
}

const PATIENT: &str = "INTERNALID PATIENTID HEADOFFAMILYID NEXTOFKINID EMERGENCYID";
const PROVIDER: &str = "USERID PREVIOUSUSERID CREATEDBY UPDATEDBY BOOKEDBY DOCTORID PROVIDERID";
const PERSON: &str = "FIRSTNAME SURNAME LASTNAME MIDDLENAME PREFERREDNAME FULLNAME ADDRESS1 ADDRESS2 \
    POSTALADDRESS HOMEPHONE WORKPHONE MOBILEPHONE EMAIL MEDICARENO MEDICARELINENO IHI DVANO PENSIONNO \
    SAFETYNETNO HEALTHFUNDNO RECORDNO EXTERNALID PROVIDERNO PRESCRIBERNO REGISTRATIONNO HPII \
    USUALDOCTOR PASSWORD";
const BIRTH: &str = "DOB DATEOFBIRTH BIRTHDATE";

/// What is known of a name; case and `_` do not matter.
pub(super) fn points_at(name: &str) -> Option<PointsAt> {
    let folded: String = name
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let among = |names: &str| names.split_ascii_whitespace().any(|name| name == folded);
    [
        (PATIENT, PointsAt::Patient),
        (PROVIDER, PointsAt::Provider),
        (PERSON, PointsAt::Person),
        (BIRTH, PointsAt::Birth),
    ]
    .into_iter()
    .find_map(|(names, points_at)| among(names).then_some(points_at))
}

/// Types that hold notes, letters and reports.
pub(super) fn is_free_text(sql_type: SqlType) -> bool {
    match sql_type {
        SqlType::Text | SqlType::NText | SqlType::Xml | SqlType::Image => true,
        SqlType::VarBinary(length) => length == Length::Unbounded,
        SqlType::Char(length)
        | SqlType::VarChar(length)
        | SqlType::NChar(length)
        | SqlType::NVarChar(length) => match length {
            Length::Max(most) => most > LONGEST_CODED_TEXT,
            Length::Unbounded => true,
        },
        _ => false,
    }
}
