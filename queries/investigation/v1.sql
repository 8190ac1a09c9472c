/*---
purpose   = "Heads of pathology and imaging reports: what was tested and when, and whether it was checked. Report bodies stay behind."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["report_id"]
cron      = "25 1 * * *"
measures  = ["QIM 9"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves. Reports marked confidential stay behind."
cost      = "One scan of INVESTIGATIONS, without its report bodies, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
report_id     = { type = "int not null", class = "operational", description = "Key of the report within the site" }
patient_id    = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id   = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
requested     = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the request" }
collected     = { type = "datetime", class = "quasi", privacy = "day", description = "Day on which the specimen was taken" }
reported      = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the report" }
test_name     = { type = "varchar(80)", class = "clinical", privacy = "keep", description = "Name of the test as the laboratory words it" }
normal_flag   = { type = "int not null", class = "operational", description = "The practice software's flag for a normal result" }
checked       = { type = "datetime", class = "operational", privacy = "day", description = "Day on which a doctor looked at it" }
actioned      = { type = "int not null", class = "operational", description = "1 once acted upon" }
changed       = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    i.REPORTID                       AS report_id,
    i.INTERNALID                     AS patient_id,
    i.USERID                         AS provider_id,
    i.RECORDSTATUS                   AS record_status,
    i.REQUESTDATE                    AS requested,
    i.COLLECTIONDATE                 AS collected,
    i.REPORTDATE                     AS reported,
    RTRIM(i.TESTNAME)                AS test_name,
    i.NORMALFLAG                     AS normal_flag,
    i.CHECKDATE                      AS checked,
    i.ACTIONED                       AS actioned,
    COALESCE(i.UPDATED, i.CREATED)   AS changed
FROM INVESTIGATIONS AS i
JOIN PATIENTS AS p ON p.INTERNALID = i.INTERNALID
WHERE COALESCE(i.UPDATED, i.CREATED) >= @window_start
  AND COALESCE(i.UPDATED, i.CREATED) < @window_end
  AND i.CONFIDENTIALFLAG = 0
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY i.REPORTID
