/*---
purpose   = "Values of pathology reports, one analyte a row, with LOINC code where the laboratory sent one."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "25 1 * * *"
measures  = ["QIM 1", "QIM 8"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves. Values of reports marked confidential stay behind."
cost      = "One scan of REPORTVALUES (one of the largest tables), and seeks of INVESTIGATIONS and PATIENTS for each changed row."

[columns]
record_id       = { type = "int not null", class = "operational", description = "Key of the value within the site" }
report_id       = { type = "int not null", class = "operational", description = "See investigation" }
patient_id      = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status   = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
reported        = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the report" }
loinc_code      = { type = "varchar(32)", class = "clinical", description = "Null when the laboratory sent none" }
result_code     = { type = "int not null", class = "clinical", description = "The vendor's analyte code: 1 and 19 HbA1c, 2 cholesterol, 3 HDL, 14 glucose, 16 eGFR, 17 ACR, ...; 0 if not mapped" }
result_name     = { type = "varchar(32)", class = "clinical", description = "Name of the analyte as the laboratory sent it" }
value           = { type = "varchar(20)", class = "clinical", description = "Usually a number; can be blank, a word or begin with < or >" }
units           = { type = "varchar(20)", class = "clinical", description = "Units as the laboratory sent them" }
reference_range = { type = "varchar(20)", class = "clinical", description = "Reference range as text" }
abnormal_flag   = { type = "varchar(3)", class = "clinical", description = "The laboratory's flag; blank or null for none" }
changed         = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    r.RECORDID                       AS record_id,
    r.REPORTID                       AS report_id,
    r.INTERNALID                     AS patient_id,
    r.RECORDSTATUS                   AS record_status,
    r.REPORTDATE                     AS reported,
    NULLIF(RTRIM(r.LOINCCODE), '')   AS loinc_code,
    r.BPCODE                         AS result_code,
    RTRIM(r.RESULTNAME)              AS result_name,
    RTRIM(r.RESULTVALUE)             AS value,
    RTRIM(r.UNITS)                   AS units,
    RTRIM(r.RANGE)                   AS reference_range,
    RTRIM(r.ABNORMALFLAG)            AS abnormal_flag,
    COALESCE(r.UPDATED, r.CREATED)   AS changed
FROM REPORTVALUES AS r
JOIN PATIENTS AS p ON p.INTERNALID = r.INTERNALID
LEFT JOIN INVESTIGATIONS AS i ON i.REPORTID = r.REPORTID
WHERE COALESCE(r.UPDATED, r.CREATED) >= @window_start
  AND COALESCE(r.UPDATED, r.CREATED) < @window_end
  AND (i.REPORTID IS NULL OR i.CONFIDENTIALFLAG = 0)
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RECORDID
