//! Vaccine doses: `IMMUNISATIONS`.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `IMMUNISATIONS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Immunisation {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub given: NaiveDate,
    pub not_given_here: bool,
    pub vaccine_name: &'static str,
    pub vaccine_id: u32,
    pub batch_number: String,
    /// Dose number, from 1.
    pub sequence: i32,
    pub audit: Audit,
}

record!(
    Immunisation as i,
    "IMMUNISATIONS",
    record_id {
        RECORDID: "int not null" = i.record_id,
        INTERNALID: "int not null" = i.internal_id,
        USERID: "int not null" = i.user_id,
        RECORDSTATUS: "int not null" = i.audit.record_status,
        GIVENDATE: "datetime" = i.given,
        NOTGIVENHERE: "int not null" = i.not_given_here,
        VACCINENAME: "char(50) not null" = i.vaccine_name,
        VACCINEID: "int not null" = i.vaccine_id,
        BATCHNUMBER: "char(20)" = &i.batch_number,
        SEQUENCE: "int not null" = i.sequence,
        SITECODE: "int not null" = 0,
        ROUTE: "int not null" = 0,
        CONSENTCODE: "int not null" = 0,
        ACIR: "int not null" = 1,
        ACIRTRANSMITTED: "datetime" = None::<NaiveDate>,
        Status: "int not null" = 0,
        AEFI: "int" = None::<i32>,
        CREATED: "datetime not null" = i.audit.created,
        CREATEDBY: "int not null" = i.audit.created_by,
        UPDATED: "datetime" = i.audit.updated,
        UPDATEDBY: "int" = i.audit.updated_by,
    }
);
