/*---
purpose   = "Cervical screening: a row for each test, and a row for each summary that says whether screening is still needed or was declined."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED) of PAPSMEARS and of OBSGYNDETAIL, each for its own rows"
overlap   = "2 days"
key       = ["source", "record_id"]
cron      = "35 1 * * *"
measures  = ["QIM 9"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan each of PAPSMEARS and OBSGYNDETAIL, both small."

[columns]
source           = { type = "varchar(7) not null", class = "operational", description = "test or summary" }
record_id        = { type = "int not null", class = "operational", description = "Key of the test or summary within the site" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status    = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
tested           = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the test; in a summary the last one known" }
test_type        = { type = "varchar(12)", class = "clinical", description = "PAP is the old test; null in a summary" }
result_code      = { type = "int not null", class = "clinical", description = "Code of PAPRESULTS; 0 if not recorded" }
hpv16            = { type = "int", class = "clinical", description = "Finding for HPV 16, the practice software's code; null in a summary" }
hpv18            = { type = "int", class = "clinical", description = "Finding for HPV 18, the practice software's code; null in a summary" }
hpv_other        = { type = "int", class = "clinical", description = "Finding for other types, the practice software's code; null in a summary" }
no_longer_needed = { type = "int", class = "clinical", description = "1 when screening has ended; null in a test" }
declined         = { type = "int", class = "clinical", description = "1 when the patient opted out of screening (not of data sharing); null in a test" }
changed          = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    'test'                           AS source,
    s.RECORDID                       AS record_id,
    s.INTERNALID                     AS patient_id,
    s.RECORDSTATUS                   AS record_status,
    s.PAPDATE                        AS tested,
    RTRIM(c.CSTTYPE)                 AS test_type,
    s.PAPCODE                        AS result_code,
    s.HPV16                          AS hpv16,
    s.HPV18                          AS hpv18,
    s.HPVOTHER                       AS hpv_other,
    CAST(NULL AS int)                AS no_longer_needed,
    CAST(NULL AS int)                AS declined,
    COALESCE(s.UPDATED, s.CREATED)   AS changed
FROM PAPSMEARS AS s
JOIN PATIENTS AS p ON p.INTERNALID = s.INTERNALID
LEFT JOIN CSTCODES AS c ON c.CSTCODE = s.CST
WHERE COALESCE(s.UPDATED, s.CREATED) >= @window_start
  AND COALESCE(s.UPDATED, s.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
UNION ALL
SELECT
    'summary'                        AS source,
    o.RECORDID                       AS record_id,
    o.INTERNALID                     AS patient_id,
    o.RECORDSTATUS                   AS record_status,
    o.LASTPAPDATE                    AS tested,
    CAST(NULL AS varchar(12))        AS test_type,
    o.LASTPAPRESULT                  AS result_code,
    CAST(NULL AS int)                AS hpv16,
    CAST(NULL AS int)                AS hpv18,
    CAST(NULL AS int)                AS hpv_other,
    o.NOPAP                          AS no_longer_needed,
    o.OPTOUT                         AS declined,
    COALESCE(o.UPDATED, o.CREATED)   AS changed
FROM OBSGYNDETAIL AS o
JOIN PATIENTS AS p ON p.INTERNALID = o.INTERNALID
WHERE COALESCE(o.UPDATED, o.CREATED) >= @window_start
  AND COALESCE(o.UPDATED, o.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY source, record_id
