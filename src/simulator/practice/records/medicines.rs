//! Medicines: what is taken (`CURRENTRX`) and what was prescribed (`PRESCRIPTIONS`, `SCRIPTITEMS`).

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `CURRENTRX`: a medicine the patient takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRx {
    pub record_id: u32,
    pub internal_id: u32,
    pub product_id: u32,
    pub drug_name: &'static str,
    /// 1 long-term, 2 short-term.
    pub rx_status: i32,
    pub dose: &'static str,
    pub frequency: i32,
    pub quantity: i32,
    pub repeats: i32,
    pub first_date: NaiveDate,
    pub last_date: NaiveDate,
    pub instructions: String,
    pub deletion_date: Option<NaiveDate>,
    pub audit: Audit,
}

record!(
    CurrentRx as r,
    "CURRENTRX",
    record_id {
        RECORDID: "int not null" = r.record_id,
        INTERNALID: "int not null" = r.internal_id,
        RECORDSTATUS: "int not null" = r.audit.record_status,
        PRODUCTID: "int not null" = r.product_id,
        DRUGNAME: "varchar(150)" = r.drug_name,
        RXSTATUS: "int not null" = r.rx_status,
        DOSE: "char(20)" = r.dose,
        PRODUCTUNIT: "varchar(50)" = "Tablet",
        INSTRUCTIONS: "varchar(300)" = &r.instructions,
        FREQUENCY: "int not null" = r.frequency,
        FOOD: "int not null" = 0,
        OTHERDETAIL: "int not null" = 0,
        ROUTE: "int not null" = 0,
        PRN: "int not null" = 0,
        QUANTITY: "int not null" = r.quantity,
        REPEATS: "int not null" = r.repeats,
        RESTRICTIONCODE: "int not null" = 0,
        FIRSTDATE: "datetime" = r.first_date,
        LASTDATE: "datetime" = r.last_date,
        INDICATION: "varchar(250)" = None::<i32>,
        INDICATIONCODE: "int not null" = 0,
        DELETIONDATE: "datetime" = r.deletion_date,
        DELETIONREASON: "varchar(100)" = r.deletion_date.map(|_| "Treatment completed"),
        PATIENTCONSENT: "tinyint" = None::<i32>,
        NPDRCONSENT: "int not null" = 0,
        CREATED: "datetime not null" = r.audit.created,
        CREATEDBY: "int not null" = r.audit.created_by,
        UPDATED: "datetime" = r.audit.updated,
        UPDATEDBY: "int" = r.audit.updated_by,
    }
);

/// A row of `PRESCRIPTIONS`: one script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prescription {
    pub script_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub location_id: u32,
    pub script_date: NaiveDate,
    pub restriction_code: i32,
    pub ctg: &'static str,
    pub deletion_date: Option<NaiveDate>,
    pub audit: Audit,
}

record!(
    Prescription as p,
    "PRESCRIPTIONS",
    script_id {
        SCRIPTID: "int not null" = p.script_id,
        INTERNALID: "int not null" = p.internal_id,
        USERID: "int not null" = p.user_id,
        LOCATIONID: "int not null" = p.location_id,
        RECORDSTATUS: "int not null" = p.audit.record_status,
        SCRIPTDATE: "datetime not null" = p.script_date,
        RESTRICTIONCODE: "int not null" = p.restriction_code,
        AUTHORITY: "int not null" = 0,
        AUTHORITYNUMBER: "char(8)" = None::<i32>,
        APPROVALNUMBER: "char(12)" = None::<i32>,
        ALLOWSUBSTITUTION: "int not null" = 1,
        PRINTSTATUS: "int not null" = 1,
        CTG: "char(10)" = p.ctg,
        SCID: "char(20)" = None::<i32>,
        DELETIONDATE: "datetime" = p.deletion_date,
        CREATED: "datetime not null" = p.audit.created,
        CREATEDBY: "int not null" = p.audit.created_by,
        UPDATED: "datetime" = p.audit.updated,
        UPDATEDBY: "int" = p.audit.updated_by,
    }
);

/// A row of `SCRIPTITEMS`: one medicine of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptItem {
    pub record_id: u32,
    pub script_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub product_id: u32,
    pub product_name: &'static str,
    pub strength: &'static str,
    pub dose: &'static str,
    pub instructions: String,
    pub frequency: i32,
    pub quantity: i32,
    pub repeats: i32,
    pub audit: Audit,
}

record!(
    ScriptItem as s,
    "SCRIPTITEMS",
    record_id {
        RECORDID: "int not null" = s.record_id,
        SCRIPTID: "int not null" = s.script_id,
        INTERNALID: "int not null" = s.internal_id,
        USERID: "int not null" = s.user_id,
        RECORDSTATUS: "int not null" = s.audit.record_status,
        PRODUCTID: "int not null" = s.product_id,
        PACKID: "int not null" = 0,
        PRODUCTNAME: "varchar(150)" = s.product_name,
        PRODUCTDESCRIPTION: "varchar(150)" = s.product_name,
        STRENGTH: "varchar(75)" = s.strength,
        FORMCODE: "int not null" = 0,
        DOSE: "char(20)" = s.dose,
        PRODUCTUNIT: "varchar(50)" = "Tablet",
        INSTRUCTIONS: "varchar(300)" = &s.instructions,
        FREQUENCY: "int not null" = s.frequency,
        QUANTITY: "int not null" = s.quantity,
        REPEATS: "int not null" = s.repeats,
        REPEATINTERVAL: "int not null" = 0,
        CREATED: "datetime not null" = s.audit.created,
        CREATEDBY: "int not null" = s.audit.created_by,
        UPDATED: "datetime" = s.audit.updated,
        UPDATEDBY: "int" = s.audit.updated_by,
    }
);
