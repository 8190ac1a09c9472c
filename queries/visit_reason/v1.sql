/*---
purpose   = "Why patients came: coded reasons. The text of a reason that was typed freely stays behind, its row comes without it."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "10 1 * * *"
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves. Reasons of visits marked confidential stay behind."
cost      = "One scan of VISITREASON, and seeks of VISITS and PATIENTS for each changed row."

[columns]
record_id     = { type = "int not null", class = "operational", description = "Key of the reason within the site" }
visit_id      = { type = "int not null", class = "operational", description = "See visit" }
patient_id    = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
reason_code   = { type = "varchar(12)", class = "clinical", description = "The vendor's term code; null for a reason that was typed freely" }
reason        = { type = "varchar(100)", class = "clinical", privacy = "keep", description = "Text of a coded reason, at most 100 characters" }
changed       = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    r.RECORDID                       AS record_id,
    r.VISITID                        AS visit_id,
    r.INTERNALID                     AS patient_id,
    r.RECORDSTATUS                   AS record_status,
    NULLIF(RTRIM(r.REASONCODE), '')  AS reason_code,
    CASE WHEN RTRIM(r.REASONCODE) <> '' THEN LEFT(RTRIM(r.REASON), 100) END AS reason,
    COALESCE(r.UPDATED, r.CREATED)   AS changed
FROM VISITREASON AS r
JOIN VISITS AS v ON v.VISITID = r.VISITID
JOIN PATIENTS AS p ON p.INTERNALID = r.INTERNALID
WHERE COALESCE(r.UPDATED, r.CREATED) >= @window_start
  AND COALESCE(r.UPDATED, r.CREATED) < @window_end
  AND v.CONFIDENTIAL = 0
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RECORDID
