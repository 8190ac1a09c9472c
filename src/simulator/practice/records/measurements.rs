//! Numbers that are text: `OBSERVATIONS`, and the reports in `INVESTIGATIONS` and `REPORTVALUES`.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `OBSERVATIONS`: one measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub observed: NaiveDate,
    /// Seconds after midnight.
    pub observed_time: i32,
    pub data_name: &'static str,
    /// 3 systolic, 4 diastolic blood pressure, 7 height (cm), 8 weight (kg), 9 BMI, …
    pub data_code: i32,
    /// Usually a number.
    pub data_value: String,
    pub modifier: i32,
    pub audit: Audit,
}

record!(
    Observation as o,
    "OBSERVATIONS",
    record_id {
        RECORDID: "int not null" = o.record_id,
        INTERNALID: "int not null" = o.internal_id,
        USERID: "int not null" = o.user_id,
        RECORDSTATUS: "int not null" = o.audit.record_status,
        OBSDATE: "datetime" = o.observed,
        OBSTIME: "int not null" = o.observed_time,
        DATANAME: "varchar(25) not null" = o.data_name,
        DATACODE: "int not null" = o.data_code,
        DATAVALUE: "char(12) not null" = &o.data_value,
        MODIFIER: "int not null" = o.modifier,
        CREATED: "datetime not null" = o.audit.created,
        CREATEDBY: "int not null" = o.audit.created_by,
        UPDATED: "datetime" = o.audit.updated,
        UPDATEDBY: "int" = o.audit.updated_by,
    }
);

/// A row of `INVESTIGATIONS`: the head of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Investigation {
    pub report_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub requested: NaiveDate,
    pub collected: NaiveDate,
    pub reported: NaiveDate,
    pub test_name: &'static str,
    pub normal: bool,
    pub confidential: bool,
    pub checked: Option<NaiveDate>,
    pub audit: Audit,
}

record!(
    Investigation as i,
    "INVESTIGATIONS",
    report_id {
        REPORTID: "int not null" = i.report_id,
        INTERNALID: "int not null" = i.internal_id,
        USERID: "int not null" = i.user_id,
        RECORDSTATUS: "int not null" = i.audit.record_status,
        REQUESTDATE: "datetime" = i.requested,
        COLLECTIONDATE: "datetime" = i.collected,
        REPORTDATE: "datetime" = i.reported,
        IMPORTDATE: "datetime" = i.audit.created,
        REPORTTIME: "int not null" = 0,
        TESTNAME: "char(80)" = i.test_name,
        PROVIDERNAME: "varchar(100)" = "Southern Cross Pathology",
        NORMALFLAG: "int not null" = i.normal,
        COMPLETIONFLAG: "int not null" = 1,
        CONFIDENTIALFLAG: "int not null" = i.confidential,
        CHECKDATE: "datetime" = i.checked,
        CHECKEDBY: "int not null" = i.user_id,
        NOTATION: "int not null" = 0,
        ACTION: "int not null" = 0,
        ACTIONED: "int not null" = i.checked.is_some(),
        ACTIONDATE: "datetime" = i.checked,
        REPORTHEADER: "image" = None::<i32>,
        REPORTBODY: "image" = None::<i32>,
        CREATED: "datetime not null" = i.audit.created,
        CREATEDBY: "int not null" = i.audit.created_by,
        UPDATED: "datetime" = i.audit.updated,
        UPDATEDBY: "int" = i.audit.updated_by,
    }
);

/// A row of `REPORTVALUES`: one analyte of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportValue {
    pub record_id: u32,
    pub report_id: u32,
    pub internal_id: u32,
    pub reported: NaiveDate,
    pub result_name: &'static str,
    pub loinc_code: &'static str,
    /// 1 HbA1c (%), 19 HbA1c (mmol/mol), 2 total cholesterol, 3 HDL, 14 glucose, 16 eGFR, …
    pub bp_code: i32,
    /// Usually a number, sometimes `<0.5` or a word.
    pub result_value: String,
    pub units: &'static str,
    pub range: &'static str,
    pub abnormal_flag: &'static str,
    pub audit: Audit,
}

record!(
    ReportValue as r,
    "REPORTVALUES",
    record_id {
        RECORDID: "int not null" = r.record_id,
        REPORTID: "int not null" = r.report_id,
        INTERNALID: "int not null" = r.internal_id,
        RECORDSTATUS: "int not null" = r.audit.record_status,
        REPORTDATE: "datetime" = r.reported,
        RESULTNAME: "char(32)" = r.result_name,
        LOINCCODE: "char(32)" = r.loinc_code,
        BPCODE: "int not null" = r.bp_code,
        RESULTVALUE: "char(20)" = &r.result_value,
        UNITS: "char(20)" = r.units,
        RANGE: "char(20)" = r.range,
        ABNORMALFLAG: "char(3)" = r.abnormal_flag,
        DATATYPE: "char(2)" = "NM",
        CREATED: "datetime not null" = r.audit.created,
        CREATEDBY: "int not null" = r.audit.created_by,
        UPDATED: "datetime" = r.audit.updated,
        UPDATEDBY: "int" = r.audit.updated_by,
    }
);
