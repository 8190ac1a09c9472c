/*---
purpose   = "Diagnoses and problems, past and present. The text of a condition that was typed freely stays behind, its row comes without it."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "15 1 * * *"
measures  = ["QIM 1", "QIM 5", "QIM 6", "QIM 8", "QIM 9", "QIM 10"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves. Items marked confidential stay behind."
cost      = "One scan of PASTHISTORY, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id      = { type = "int not null", class = "operational", description = "Key of the item within the site" }
patient_id     = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status  = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
onset_year     = { type = "int", class = "quasi", description = "Null if not known" }
onset_month    = { type = "int", class = "quasi", description = "1 to 12, null if not known" }
condition_code = { type = "int not null", class = "clinical", description = "The vendor's condition code; 0 for a condition that was typed freely" }
condition      = { type = "varchar(100)", class = "clinical", privacy = "keep", description = "Text of a coded condition, at most 100 characters" }
status_code    = { type = "int not null", class = "clinical", description = "1 active, 2 inactive" }
acute_code     = { type = "int not null", class = "clinical", description = "Acute or chronic, the practice software's code; 0 if not recorded" }
provisional    = { type = "int not null", class = "clinical", description = "1 for a provisional diagnosis" }
changed        = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    h.RECORDID                       AS record_id,
    h.INTERNALID                     AS patient_id,
    h.RECORDSTATUS                   AS record_status,
    NULLIF(h.YEAR, 0)                AS onset_year,
    NULLIF(h.MONTH, 0)               AS onset_month,
    h.ITEMCODE                       AS condition_code,
    CASE WHEN h.ITEMCODE <> 0 THEN LEFT(RTRIM(h.ITEMTEXT), 100) END AS condition,
    h.STATUSCODE                     AS status_code,
    h.ACUTECODE                      AS acute_code,
    h.PROVISIONAL                    AS provisional,
    COALESCE(h.UPDATED, h.CREATED)   AS changed
FROM PASTHISTORY AS h
JOIN PATIENTS AS p ON p.INTERNALID = h.INTERNALID
WHERE COALESCE(h.UPDATED, h.CREATED) >= @window_start
  AND COALESCE(h.UPDATED, h.CREATED) < @window_end
  AND h.PRIVACYCODE = 0
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY h.RECORDID
