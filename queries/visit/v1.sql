/*---
purpose   = "Visits: who was seen by whom, when, where and how. Together with services the denominator of regular clients."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["visit_id"]
cron      = "10 1 * * *"
measures  = ["QIM 1", "QIM 2", "QIM 3", "QIM 4", "QIM 5", "QIM 6", "QIM 7", "QIM 8", "QIM 9", "QIM 10"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves. Visits marked confidential stay behind."
cost      = "One scan of VISITS, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
visit_id         = { type = "int not null", class = "operational", description = "Key of the visit within the site" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id      = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status    = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
visited          = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the visit; can be weeks before the row was written" }
visit_code       = { type = "int not null", class = "operational", description = "Kind of visit; the practice's wording is in visit_type" }
visit_type       = { type = "varchar(20)", class = "operational", description = "Surgery, Home, Telephone, Non Visit, ..." }
duration_seconds = { type = "int not null", class = "operational", description = "0 if not recorded" }
location_id      = { type = "int not null", class = "operational", description = "Clinic, see reference_location" }
changed          = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    v.VISITID                        AS visit_id,
    v.INTERNALID                     AS patient_id,
    v.USERID                         AS provider_id,
    v.RECORDSTATUS                   AS record_status,
    v.VISITDATE                      AS visited,
    v.VISITCODE                      AS visit_code,
    RTRIM(t.VISITTYPE)               AS visit_type,
    v.DURATION                       AS duration_seconds,
    v.LOCATION                       AS location_id,
    COALESCE(v.UPDATED, v.CREATED)   AS changed
FROM VISITS AS v
JOIN PATIENTS AS p ON p.INTERNALID = v.INTERNALID
LEFT JOIN VISITTYPE AS t ON t.VISITCODE = v.VISITCODE
WHERE COALESCE(v.UPDATED, v.CREATED) >= @window_start
  AND COALESCE(v.UPDATED, v.CREATED) < @window_end
  AND v.CONFIDENTIAL = 0
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY v.VISITID
