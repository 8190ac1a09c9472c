//! People in care: `PATIENTS`, `EMAIL`, and what is known once per patient.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `PATIENTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    pub internal_id: u32,
    /// 1 active, 2 inactive, 3 deceased.
    pub patient_status: i32,
    pub record_no: String,
    pub first_name: String,
    pub middle_name: String,
    pub preferred_name: String,
    pub surname: String,
    pub title_code: i32,
    pub dob: Option<NaiveDate>,
    pub date_of_death: Option<NaiveDate>,
    /// 1 female, 2 male, 3 other.
    pub sex_code: i32,
    pub ethnic_code: i32,
    pub address1: String,
    pub city: String,
    pub postcode: String,
    pub home_phone: String,
    pub mobile_phone: String,
    pub medicare_no: String,
    pub medicare_line_no: String,
    pub medicare_expiry: String,
    pub ihi: String,
    pub pension_code: i32,
    pub pension_no: String,
    pub dva_code: i32,
    pub dva_no: String,
    pub user_id: u32,
    pub head_of_family_id: u32,
    pub deny_access: bool,
    pub hch_tier: i32,
    pub ctg: i32,
    /// Whether the patient opted out of de-identified extraction.
    pub opted_out: bool,
    pub audit: Audit,
}

impl Patient {
    /// Whether the patient agrees to extraction and the record is open: only then may a row leave.
    #[must_use]
    pub fn may_leave(&self) -> bool {
        !self.opted_out && !self.deny_access
    }

    /// Whole years from birth to `day`; `None` without a date of birth.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> Option<i32> {
        let years = day.years_since(self.dob?)?;
        i32::try_from(years).ok()
    }
}

record!(
    Patient as p,
    "PATIENTS",
    internal_id {
        INTERNALID: "int not null" = p.internal_id,
        RECORDSTATUS: "int not null" = p.audit.record_status,
        PATIENTSTATUS: "int not null" = p.patient_status,
        EXTERNALID: "char(12)" = None::<i32>,
        RECORDNO: "char(10)" = &p.record_no,
        FIRSTNAME: "char(40)" = &p.first_name,
        MIDDLENAME: "char(30)" = &p.middle_name,
        PREFERREDNAME: "char(30)" = &p.preferred_name,
        SURNAME: "char(40)" = &p.surname,
        TITLECODE: "int not null" = p.title_code,
        DOB: "datetime" = p.dob,
        DATEOFDEATH: "datetime" = p.date_of_death,
        SEXCODE: "int not null" = p.sex_code,
        ETHNICCODE: "int not null" = p.ethnic_code,
        ETHNIC1CODE: "int not null" = 0,
        ETHNIC2CODE: "int not null" = 0,
        ADDRESS1: "char(40)" = &p.address1,
        ADDRESS2: "char(40)" = "",
        CITY: "char(40)" = &p.city,
        POSTCODE: "char(4)" = &p.postcode,
        POSTALPOSTCODE: "char(4)" = None::<i32>,
        HOMEPHONE: "char(14)" = &p.home_phone,
        WORKPHONE: "char(14)" = "",
        MOBILEPHONE: "char(14)" = &p.mobile_phone,
        MEDICARENO: "char(13)" = &p.medicare_no,
        MEDICARELINENO: "char(1)" = &p.medicare_line_no,
        MEDICAREEXPIRY: "char(10)" = &p.medicare_expiry,
        IHI: "char(16)" = &p.ihi,
        IHISTATUS: "int not null" = 0,
        IHIRECORDSTATUS: "int not null" = 0,
        PENSIONCODE: "int not null" = p.pension_code,
        PENSIONNO: "char(14)" = &p.pension_no,
        SAFETYNETNO: "char(14)" = None::<i32>,
        DVACODE: "int not null" = p.dva_code,
        DVANO: "char(14)" = &p.dva_no,
        USERID: "int not null" = p.user_id,
        HEADOFFAMILYID: "int not null" = p.head_of_family_id,
        NEXTOFKINID: "int not null" = 0,
        DENYACCESS: "int not null" = p.deny_access,
        NOREMINDERS: "int not null" = 0,
        CONSENTSMSREMINDER: "int not null" = 1,
        HCHTIER: "int not null" = p.hch_tier,
        HCHSTARTED: "datetime" = None::<NaiveDate>,
        CTG: "int not null" = p.ctg,
        COUNTRYOFBIRTH: "int" = None::<i32>,
        DATASHARINGOPTOUT: "int not null" = p.opted_out,
        CREATED: "datetime not null" = p.audit.created,
        CREATEDBY: "int not null" = p.audit.created_by,
        UPDATED: "datetime" = p.audit.updated,
        UPDATEDBY: "int" = p.audit.updated_by,
    }
);

/// A row of `EMAIL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub record_id: u32,
    pub internal_id: u32,
    pub address: String,
    pub audit: Audit,
}

record!(
    Email as e,
    "EMAIL",
    record_id {
        RECORDID: "int not null" = e.record_id,
        INTERNALID: "int not null" = e.internal_id,
        RECORDSTATUS: "int not null" = e.audit.record_status,
        EMAIL: "varchar(250)" = &e.address,
        CREATED: "datetime not null" = e.audit.created,
        CREATEDBY: "int not null" = e.audit.created_by,
        UPDATED: "datetime" = e.audit.updated,
        UPDATEDBY: "int" = e.audit.updated_by,
    }
);

/// A row of `CLINICAL`: one per patient, without a `RECORDSTATUS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clinical {
    pub internal_id: u32,
    /// 0 not recorded, 1 nil known, 2 some recorded.
    pub known_allergies: i32,
    /// 0 not recorded, 1 non smoker, 2 ex smoker, 3 smoker.
    pub smoking_status: i32,
    /// 0 not recorded, 1 nil, 2 occasional, 3 moderate, 4 heavy.
    pub alcohol_status: i32,
    pub accommodation: Option<i32>,
    pub lives_with: Option<i32>,
    pub has_carer: Option<i32>,
    pub social_history: Option<String>,
    pub audit: Audit,
}

record!(
    Clinical as c,
    "CLINICAL",
    internal_id {
        INTERNALID: "int not null" = c.internal_id,
        KNOWNALLERGIES: "int not null" = c.known_allergies,
        SMOKINGSTATUS: "int not null" = c.smoking_status,
        ALCOHOLSTATUS: "int not null" = c.alcohol_status,
        MARITALSTATUS: "int not null" = 0,
        SEXUALITY: "int not null" = 0,
        ACCOMODATION: "int" = c.accommodation,
        LIVESWITH: "int" = c.lives_with,
        HASCARER: "int" = c.has_carer,
        ISCARER: "int" = None::<i32>,
        ACD: "int" = None::<i32>,
        CAUSEOFDEATH: "char(60)" = None::<i32>,
        CAUSEOFDEATHCODE: "int not null" = 0,
        SOCIALHX: "varchar(1000)" = c.social_history.as_deref(),
        RECREATION: "varchar(1000)" = None::<i32>,
        OTHERCOMMENT: "varchar(1000)" = None::<i32>,
        SHS: "datetime" = None::<NaiveDate>,
        CREATED: "datetime not null" = c.audit.created,
        CREATEDBY: "int not null" = c.audit.created_by,
        UPDATED: "datetime" = c.audit.updated,
        UPDATEDBY: "int" = c.audit.updated_by,
    }
);

/// A row of `TOBACCO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tobacco {
    pub record_id: u32,
    pub internal_id: u32,
    /// As [`Clinical::smoking_status`].
    pub smoking_code: i32,
    pub smokes_per_day: i32,
    pub year_started: i32,
    /// Year, 0 if not recorded.
    pub past_stopped: i32,
    pub audit: Audit,
}

record!(
    Tobacco as t,
    "TOBACCO",
    record_id {
        RECORDID: "int not null" = t.record_id,
        INTERNALID: "int not null" = t.internal_id,
        RECORDSTATUS: "int not null" = t.audit.record_status,
        SMOKINGCODE: "int not null" = t.smoking_code,
        SMOKINGTYPE: "int not null" = 0,
        SMOKESPERDAY: "int not null" = t.smokes_per_day,
        YEARSTARTED: "int not null" = t.year_started,
        PASTSMOKINGCODE: "int not null" = 0,
        PASTSMOKESPERDAY: "int not null" = 0,
        PASTSTARTED: "int not null" = 0,
        PASTSTOPPED: "int not null" = t.past_stopped,
        CESSATION: "int not null" = 0,
        ADVICE: "int not null" = 0,
        MEDICATION: "int not null" = 0,
        SUPPORT: "int not null" = 0,
        REFERRAL: "int not null" = 0,
        CREATED: "datetime not null" = t.audit.created,
        CREATEDBY: "int not null" = t.audit.created_by,
        UPDATED: "datetime" = t.audit.updated,
        UPDATEDBY: "int" = t.audit.updated_by,
    }
);

/// A row of `ALCOHOL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alcohol {
    pub record_id: u32,
    pub internal_id: u32,
    pub days_per_week: i32,
    pub drinks_per_day: i32,
    /// 1 for a non-drinker.
    pub alcohol_code: i32,
    pub audit: Audit,
}

record!(
    Alcohol as a,
    "ALCOHOL",
    record_id {
        RECORDID: "int not null" = a.record_id,
        INTERNALID: "int not null" = a.internal_id,
        RECORDSTATUS: "int not null" = a.audit.record_status,
        DAYSPERWEEK: "int not null" = a.days_per_week,
        DRINKSPERDAY: "int not null" = a.drinks_per_day,
        ALCOHOLCODE: "int not null" = a.alcohol_code,
        PASTALCOHOLLEVEL: "int not null" = 0,
        YEARSTARTED: "int not null" = 0,
        YEARSTOPPED: "int not null" = 0,
        CREATED: "datetime not null" = a.audit.created,
        CREATEDBY: "int not null" = a.audit.created_by,
        UPDATED: "datetime" = a.audit.updated,
        UPDATEDBY: "int" = a.audit.updated_by,
    }
);
