//! Care as it happens: `VISITS`, `VISITREASON`, `APPOINTMENTS`.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `VISITS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub visit_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    /// 1 surgery, 2 home, 6 residential care, 7 telephone, 12 not a visit, 13 telehealth.
    pub visit_code: i32,
    pub doctor_name: String,
    pub visit_date: NaiveDate,
    /// Seconds after midnight.
    pub start_time: i32,
    /// Seconds.
    pub duration: i32,
    pub location: u32,
    pub confidential: bool,
    pub notes: String,
    pub audit: Audit,
}

record!(
    Visit as v,
    "VISITS",
    visit_id {
        VISITID: "int not null" = v.visit_id,
        INTERNALID: "int not null" = v.internal_id,
        USERID: "int not null" = v.user_id,
        RECORDSTATUS: "int not null" = v.audit.record_status,
        VISITCODE: "int not null" = v.visit_code,
        DRNAME: "varchar(100)" = &v.doctor_name,
        VISITDATE: "datetime" = v.visit_date,
        RECORDEDDATE: "datetime" = v.audit.created.date(),
        STARTTIME: "int not null" = v.start_time,
        ENDTIME: "int not null" = v.start_time + v.duration,
        DURATION: "int not null" = v.duration,
        LOCATION: "int not null" = v.location,
        CONFIDENTIAL: "int not null" = v.confidential,
        VISITNOTES: "text" = &v.notes,
        CREATED: "datetime not null" = v.audit.created,
        CREATEDBY: "int not null" = v.audit.created_by,
        UPDATED: "datetime" = v.audit.updated,
        UPDATEDBY: "int" = v.audit.updated_by,
    }
);

/// A row of `VISITREASON`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitReason {
    pub record_id: u32,
    pub visit_id: u32,
    pub internal_id: u32,
    pub reason: &'static str,
    /// A number as text, blank for a reason that was typed freely.
    pub reason_code: &'static str,
    pub audit: Audit,
}

record!(
    VisitReason as r,
    "VISITREASON",
    record_id {
        RECORDID: "int not null" = r.record_id,
        VISITID: "int not null" = r.visit_id,
        INTERNALID: "int not null" = r.internal_id,
        RECORDSTATUS: "int not null" = r.audit.record_status,
        REASON: "varchar(250)" = r.reason,
        REASONCODE: "char(12)" = r.reason_code,
        CONDITION: "varchar(250)" = None::<i32>,
        CREATED: "datetime not null" = r.audit.created,
        CREATEDBY: "int not null" = r.audit.created_by,
        UPDATED: "datetime" = r.audit.updated,
        UPDATEDBY: "int" = r.audit.updated_by,
    }
);

/// A row of `APPOINTMENTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub location_id: u32,
    /// 0 until the patient came.
    pub visit_id: u32,
    pub appointment_date: NaiveDate,
    /// Seconds after midnight.
    pub appointment_time: i32,
    /// Seconds.
    pub appointment_length: i32,
    /// 1 booked, 5 completed, 7 did not attend.
    pub appointment_code: i32,
    pub appointment_type: i32,
    /// Seconds after midnight, 0 until the patient came.
    pub arrival_time: i32,
    /// Seconds after midnight, 0 until the patient was seen.
    pub consultation_time: i32,
    pub urgent: bool,
    pub comment: String,
    pub audit: Audit,
}

record!(
    Appointment as a,
    "APPOINTMENTS",
    record_id {
        RECORDID: "int not null" = a.record_id,
        INTERNALID: "int not null" = a.internal_id,
        USERID: "int not null" = a.user_id,
        LOCATIONID: "int not null" = a.location_id,
        VISITID: "int not null" = a.visit_id,
        RECORDSTATUS: "int not null" = a.audit.record_status,
        APPOINTMENTDATE: "datetime not null" = a.appointment_date,
        APPOINTMENTTIME: "int not null" = a.appointment_time,
        APPOINTMENTLENGTH: "int not null" = a.appointment_length,
        APPOINTMENTCODE: "int not null" = a.appointment_code,
        APPOINTMENTTYPE: "int not null" = a.appointment_type,
        ARRIVALTIME: "int not null" = a.arrival_time,
        CONSULTATIONTIME: "int not null" = a.consultation_time,
        VISITLENGTH: "int not null" = 0,
        URGENT: "int not null" = a.urgent,
        REASON: "varchar(500)" = "",
        COMMENT: "varchar(500)" = &a.comment,
        ITEMLIST: "varchar(2000)" = None::<i32>,
        CREATED: "datetime not null" = a.audit.created,
        CREATEDBY: "int not null" = a.audit.created_by,
        UPDATED: "datetime" = a.audit.updated,
        UPDATEDBY: "int" = a.audit.updated_by,
    }
);
