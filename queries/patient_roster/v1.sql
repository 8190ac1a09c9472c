/*---
purpose   = "Who may be in the extract today. A patient who is not in the newest roster has opted out, is closed or is gone: the measures leave out what earlier nights brought of such a patient, and so should every other use; join it with the newest roster."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["patient_id"]
cron      = "0 1 * * *"
measures  = ["QIM 1", "QIM 2", "QIM 3", "QIM 4", "QIM 5", "QIM 6", "QIM 7", "QIM 8", "QIM 9", "QIM 10"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
withheld  = "SELECT COUNT(*) AS withheld FROM PATIENTS AS p WHERE p.RECORDSTATUS = 1 AND CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END = 1"
cost      = "One scan of PATIENTS, two numbers a row."

[columns]
patient_id    = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
---*/
SELECT
    p.INTERNALID   AS patient_id,
    p.RECORDSTATUS AS record_status
FROM PATIENTS AS p
WHERE p.RECORDSTATUS = 1
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY p.INTERNALID
