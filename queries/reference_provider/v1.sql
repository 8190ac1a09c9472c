/*---
purpose   = "Doctors and staff by pseudonym: role, status and clinic, inactive ones too. Names and numbers stay behind."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["provider_id"]
cron      = "0 3 1 * *"
cost      = "One scan of USERS, some tens of rows."

[columns]
provider_id   = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "The same pseudonym in every query of the site" }
record_status = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
user_status   = { type = "int not null", class = "operational", description = "1 active, 2 inactive, 999 invalid" }
role          = { type = "varchar(60)", class = "operational", description = "Group of users, for example doctors or nurses" }
location_id   = { type = "int not null", class = "operational", description = "Home clinic, see reference_location" }
---*/
SELECT
    u.USERID           AS provider_id,
    u.RECORDSTATUS     AS record_status,
    u.USERSTATUS       AS user_status,
    RTRIM(g.GROUPNAME) AS role,
    u.LOCATIONID       AS location_id
FROM USERS AS u
LEFT JOIN USERGROUPS AS g ON g.GROUPCODE = u.GROUPCODE
ORDER BY u.USERID
