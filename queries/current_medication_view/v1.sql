/*---
purpose   = "Medicines that patients take today, from the view BPS_CurrentRx, for practices where the table CURRENTRX cannot be read. Whole every time: the view does not show when a row changed, and a medicine that was ceased or deleted is absent."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["record_id"]
cron      = "45 3 * * 0"
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "The whole view once a week: every medicine in use, some tens of thousands of rows."

[columns]
record_id        = { type = "int not null", class = "operational", description = "Key of the medicine within the site" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status    = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
product_id       = { type = "int not null", class = "clinical", description = "See reference_product" }
drug_name        = { type = "varchar(150)", class = "clinical", privacy = "keep" }
status_code      = { type = "int not null", class = "clinical", description = "1 long-term, 2 short-term" }
first_prescribed = { type = "datetime", class = "quasi", privacy = "day" }
last_prescribed  = { type = "datetime", class = "quasi", privacy = "day" }
indication_code  = { type = "int not null", class = "clinical", description = "0 if not recorded" }
---*/
SELECT
    r.RecordID                       AS record_id,
    r.InternalID                     AS patient_id,
    1                                AS record_status,
    r.ProductID                      AS product_id,
    RTRIM(r.DrugName)                AS drug_name,
    r.RxStatus                       AS status_code,
    r.FirstDate                      AS first_prescribed,
    r.LastDate                       AS last_prescribed,
    r.IndicationCode                 AS indication_code
FROM BPS_CurrentRx AS r
JOIN PATIENTS AS p ON p.INTERNALID = r.InternalID
WHERE p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RecordID
