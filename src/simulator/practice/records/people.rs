//! Who works where: `USERS` and `LOCATIONS`.

use super::{Audit, record};

/// A row of `USERS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub user_id: u32,
    /// 1 active, 2 inactive.
    pub user_status: i32,
    pub location_id: u32,
    /// 1 general practitioner, 2 nurse, 3 reception.
    pub group_code: i32,
    pub first_name: String,
    pub surname: String,
    pub provider_no: String,
    pub audit: Audit,
}

record!(
    User as u,
    "USERS",
    user_id {
        USERID: "int not null" = u.user_id,
        RECORDSTATUS: "int not null" = u.audit.record_status,
        USERSTATUS: "int not null" = u.user_status,
        LOCATIONID: "int not null" = u.location_id,
        GROUPCODE: "int not null" = u.group_code,
        SURNAME: "char(100) not null" = &u.surname,
        FIRSTNAME: "char(30) not null" = &u.first_name,
        PROVIDERNO: "char(8)" = &u.provider_no,
        PRESCRIBERNO: "char(7)" = None::<i32>,
        REGISTRATIONNO: "char(20)" = None::<i32>,
        HPII: "char(16)" = None::<i32>,
        CREATED: "datetime not null" = u.audit.created,
        CREATEDBY: "int not null" = u.audit.created_by,
        UPDATED: "datetime" = u.audit.updated,
        UPDATEDBY: "int" = u.audit.updated_by,
    }
);

/// A row of `LOCATIONS`: one clinic; a database can hold several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub location_id: u32,
    pub name: String,
    pub city: String,
    pub postcode: String,
    pub audit: Audit,
}

record!(
    Location as l,
    "LOCATIONS",
    location_id {
        LOCATIONID: "int not null" = l.location_id,
        RECORDSTATUS: "int not null" = l.audit.record_status,
        LOCATIONNAME: "char(60)" = &l.name,
        CITY: "char(40)" = &l.city,
        POSTCODE: "char(4)" = &l.postcode,
        HPIO: "char(16)" = None::<i32>,
        RRMA: "int not null" = 0,
        CREATED: "datetime not null" = l.audit.created,
        CREATEDBY: "int not null" = l.audit.created_by,
        UPDATED: "datetime" = l.audit.updated,
        UPDATEDBY: "int" = l.audit.updated_by,
    }
);
