//! Money, in whole cents: `INVOICES`, `SERVICES`.

use chrono::NaiveDate;

use super::{Audit, record};

/// A row of `INVOICES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub invoice_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    pub location_id: u32,
    pub invoice_date: NaiveDate,
    /// 1 private, 2 bulk bill, 3 veterans' affairs, 4 WorkCover.
    pub payer_code: i32,
    /// Cents.
    pub total: i32,
    pub audit: Audit,
}

record!(
    Invoice as i,
    "INVOICES",
    invoice_id {
        INVOICEID: "int not null" = i.invoice_id,
        INTERNALID: "int not null" = i.internal_id,
        USERID: "int not null" = i.user_id,
        LOCATIONID: "int not null" = i.location_id,
        RECORDSTATUS: "int not null" = i.audit.record_status,
        INVOICEDATE: "datetime" = i.invoice_date,
        PAYERCODE: "int not null" = i.payer_code,
        TOTAL: "int not null" = i.total,
        APPOINTMENTID: "int not null" = 0,
        CREATED: "datetime not null" = i.audit.created,
        CREATEDBY: "int not null" = i.audit.created_by,
        UPDATED: "datetime" = i.audit.updated,
        UPDATEDBY: "int" = i.audit.updated_by,
    }
);

/// A row of `SERVICES`: one billed item; the patient is found through the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub service_id: u32,
    pub invoice_id: u32,
    pub visit_id: u32,
    pub user_id: u32,
    pub location_id: u32,
    pub service_date: NaiveDate,
    /// 0 standing, 9 reversed.
    pub service_status: i32,
    /// Medicare item number, 0 for none.
    pub mbs_item: i32,
    pub description: &'static str,
    /// Cents.
    pub fee: i32,
    pub payer_code: i32,
    /// 1 live, 2 cancelled.
    pub audit: Audit,
}

record!(
    Service as s,
    "SERVICES",
    service_id {
        SERVICEID: "int not null" = s.service_id,
        INVOICEID: "int not null" = s.invoice_id,
        VISITID: "int not null" = s.visit_id,
        USERID: "int not null" = s.user_id,
        LOCATIONID: "int not null" = s.location_id,
        RECORDSTATUS: "int not null" = s.audit.record_status,
        SERVICESTATUS: "int not null" = s.service_status,
        SERVICEDATE: "datetime" = s.service_date,
        MBSITEM: "int not null" = s.mbs_item,
        ITEMCODE: "int not null" = 0,
        ITEMID: "int not null" = 0,
        DESCRIPTION: "varchar(1000)" = s.description,
        FEE: "int not null" = s.fee,
        TOTALFEE: "int not null" = s.fee,
        PAID: "int not null" = s.fee,
        GST: "int not null" = 0,
        PAYERCODE: "int not null" = s.payer_code,
        CREATED: "datetime not null" = s.audit.created,
        UPDATED: "datetime" = s.audit.updated,
    }
);
