/*---
purpose   = "Medicines that patients take or took, with the day on which one was ceased. Instructions stay behind. Where a practice does not let CURRENTRX be read, its view gives the medicines in use only: source says which."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "30 1 * * *"
variants  = ["view"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of CURRENTRX, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
source           = { type = "varchar(5) not null", class = "operational", description = "table: rows that changed, ceased ones among them; view: every medicine in use, so that only the newest object of the site stands" }
record_id        = { type = "int not null", class = "operational", description = "Key of the medicine within the site" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status    = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
product_id       = { type = "int not null", class = "clinical", description = "See reference_product" }
drug_name        = { type = "varchar(150)", class = "clinical", privacy = "keep", description = "Product as the practice's list names it" }
status_code      = { type = "int not null", class = "clinical", description = "1 long-term, 2 short-term" }
first_prescribed = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the first script" }
last_prescribed  = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the newest script" }
ceased           = { type = "datetime", class = "quasi", privacy = "day", description = "Null while it is taken" }
indication_code  = { type = "int not null", class = "clinical", description = "0 if not recorded" }
changed          = { type = "datetime", class = "operational", description = "When the row was last written, in the practice's local time; null where source is view" }
---*/
SELECT
    'table'                          AS source,
    r.RECORDID                       AS record_id,
    r.INTERNALID                     AS patient_id,
    r.RECORDSTATUS                   AS record_status,
    r.PRODUCTID                      AS product_id,
    RTRIM(r.DRUGNAME)                AS drug_name,
    r.RXSTATUS                       AS status_code,
    r.FIRSTDATE                      AS first_prescribed,
    r.LASTDATE                       AS last_prescribed,
    r.DELETIONDATE                   AS ceased,
    r.INDICATIONCODE                 AS indication_code,
    COALESCE(r.UPDATED, r.CREATED)   AS changed
FROM CURRENTRX AS r
JOIN PATIENTS AS p ON p.INTERNALID = r.INTERNALID
WHERE COALESCE(r.UPDATED, r.CREATED) >= @window_start
  AND COALESCE(r.UPDATED, r.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RECORDID
