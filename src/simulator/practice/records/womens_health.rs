//! Cervical screening and pregnancy: `PAPSMEARS`, `OBSGYNDETAIL`, `PREGNANCIES`.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `PAPSMEARS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PapSmear {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub pap_date: NaiveDate,
    /// 1 the old test, 2 cervical screening test, 3 self-collected.
    pub cst: i32,
    pub pap_code: i32,
    pub hpv16: i32,
    pub hpv18: i32,
    pub hpv_other: i32,
    pub audit: Audit,
}

record!(
    PapSmear as p,
    "PAPSMEARS",
    record_id {
        RECORDID: "int not null" = p.record_id,
        INTERNALID: "int not null" = p.internal_id,
        USERID: "int not null" = p.user_id,
        RECORDSTATUS: "int not null" = p.audit.record_status,
        PAPDATE: "datetime not null" = p.pap_date,
        CST: "int not null" = p.cst,
        PAPCODE: "int not null" = p.pap_code,
        HPV16: "int not null" = p.hpv16,
        HPV18: "int not null" = p.hpv18,
        HPVOTHER: "int not null" = p.hpv_other,
        ENDOCERVICALCELLS: "int not null" = 0,
        COMMENT: "varchar(500)" = None::<i32>,
        CREATED: "datetime not null" = p.audit.created,
        CREATEDBY: "int not null" = p.audit.created_by,
        UPDATED: "datetime" = p.audit.updated,
        UPDATEDBY: "int" = p.audit.updated_by,
    }
);

/// A row of `OBSGYNDETAIL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObsGynDetail {
    pub record_id: u32,
    pub internal_id: u32,
    pub last_pap_date: Option<NaiveDate>,
    pub last_pap_result: i32,
    /// No longer needs cervical screening.
    pub no_pap: bool,
    /// Opted out of cervical screening; not of data sharing.
    pub opt_out: bool,
    pub gravidity: Option<i32>,
    pub parity: Option<i32>,
    pub audit: Audit,
}

record!(
    ObsGynDetail as o,
    "OBSGYNDETAIL",
    record_id {
        RECORDID: "int not null" = o.record_id,
        INTERNALID: "int not null" = o.internal_id,
        RECORDSTATUS: "int not null" = o.audit.record_status,
        LASTPAPDATE: "datetime" = o.last_pap_date,
        LASTPAPRESULT: "int not null" = o.last_pap_result,
        NOPAP: "int not null" = o.no_pap,
        OPTOUT: "int not null" = o.opt_out,
        OPTOUTREASON: "varchar(100)" = o.opt_out.then_some("Screened at another practice"),
        GRAVIDITY: "int" = o.gravidity,
        PARITY: "int" = o.parity,
        BREASTFEEDING: "int not null" = 0,
        NOMINALLMP: "datetime" = None::<NaiveDate>,
        ACTUALLMP: "datetime" = None::<NaiveDate>,
        EDCBYDATE: "datetime" = None::<NaiveDate>,
        EDCBYSCAN: "datetime" = None::<NaiveDate>,
        MammogramStatus: "int not null" = 0,
        MammogramResult: "int not null" = 0,
        LastMammogramDate: "datetime" = None::<NaiveDate>,
        CREATED: "datetime not null" = o.audit.created,
        CREATEDBY: "int not null" = o.audit.created_by,
        UPDATED: "datetime" = o.audit.updated,
        UPDATEDBY: "int" = o.audit.updated_by,
    }
);

/// A row of `PREGNANCIES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pregnancy {
    pub pregnancy_id: u32,
    pub internal_id: u32,
    pub due_by_date: NaiveDate,
    pub due_by_scan: Option<NaiveDate>,
    pub ended: Option<NaiveDate>,
    /// 0 none yet, 1 live birth, 2 miscarriage, …
    pub outcome_code: i32,
    pub gdm: bool,
    pub hypertension: bool,
    pub audit: Audit,
}

record!(
    Pregnancy as p,
    "PREGNANCIES",
    pregnancy_id {
        PREGNANCYID: "int not null" = p.pregnancy_id,
        INTERNALID: "int not null" = p.internal_id,
        RECORDSTATUS: "int not null" = p.audit.record_status,
        EDCBYDATE: "datetime" = p.due_by_date,
        EDCBYSCAN: "datetime" = p.due_by_scan,
        USESCAN: "int not null" = p.due_by_scan.is_some(),
        ENDDATE: "datetime" = p.ended,
        OUTCOMECODE: "int not null" = p.outcome_code,
        GDM: "int not null" = p.gdm,
        HYPERTENSION: "int not null" = p.hypertension,
        CREATED: "datetime not null" = p.audit.created,
        CREATEDBY: "int not null" = p.audit.created_by,
        UPDATED: "datetime" = p.audit.updated,
        UPDATEDBY: "int" = p.audit.updated_by,
    }
);
