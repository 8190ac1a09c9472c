//! What is known of a patient's past: `PASTHISTORY`, `REACTIONS`.

use super::{Audit, record};

/// A row of `PASTHISTORY`: a diagnosis or problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastHistory {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    /// Onset; 0 where not known.
    pub year: i32,
    pub month: i32,
    pub day: i32,
    pub item_text: &'static str,
    /// The vendor's condition code; 0 for a condition that was typed freely.
    pub item_code: i32,
    /// 1 active, 2 inactive.
    pub status_code: i32,
    /// 1 for an item marked confidential.
    pub privacy_code: i32,
    pub provisional: bool,
    pub details: Option<String>,
    pub audit: Audit,
}

record!(
    PastHistory as h,
    "PASTHISTORY",
    record_id {
        RECORDID: "int not null" = h.record_id,
        INTERNALID: "int not null" = h.internal_id,
        USERID: "int not null" = h.user_id,
        RECORDSTATUS: "int not null" = h.audit.record_status,
        YEAR: "int not null" = h.year,
        MONTH: "int not null" = h.month,
        DAY: "int not null" = h.day,
        ITEMTEXT: "varchar(250)" = h.item_text,
        ITEMCODE: "int not null" = h.item_code,
        STATUSCODE: "int not null" = h.status_code,
        ACUTECODE: "int not null" = 0,
        SEVERITYCODE: "int not null" = 0,
        PRIVACYCODE: "int not null" = h.privacy_code,
        SUMMARYCODE: "int not null" = 1,
        PROVISIONAL: "int not null" = h.provisional,
        DETAILS: "text" = h.details.as_deref(),
        VisitId: "int" = None::<i32>,
        CREATED: "datetime not null" = h.audit.created,
        CREATEDBY: "int not null" = h.audit.created_by,
        UPDATED: "datetime" = h.audit.updated,
        UPDATEDBY: "int" = h.audit.updated_by,
    }
);

/// A row of `REACTIONS`: an allergy or adverse reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    pub record_id: u32,
    pub internal_id: u32,
    pub user_id: u32,
    /// 1 product, 2 ingredient, 3 class of drugs.
    pub item_type: i32,
    pub item_code: i32,
    pub item_name: &'static str,
    pub reaction_code: i32,
    pub reaction: &'static str,
    pub severity: i32,
    pub audit: Audit,
}

record!(
    Reaction as r,
    "REACTIONS",
    record_id {
        RECORDID: "int not null" = r.record_id,
        INTERNALID: "int not null" = r.internal_id,
        USERID: "int not null" = r.user_id,
        RECORDSTATUS: "int not null" = r.audit.record_status,
        ITEMTYPE: "int not null" = r.item_type,
        ITEMCODE: "int not null" = r.item_code,
        ITEMNAME: "char(50) not null" = r.item_name,
        REACTIONCODE: "int not null" = r.reaction_code,
        REACTION: "char(50) not null" = r.reaction,
        SEVERITY: "int not null" = r.severity,
        COMMENT: "varchar(max)" = None::<i32>,
        CREATED: "datetime not null" = r.audit.created,
        CREATEDBY: "int not null" = r.audit.created_by,
        UPDATED: "datetime" = r.audit.updated,
        UPDATEDBY: "int" = r.audit.updated_by,
    }
);
