/*---
purpose   = "Pregnancies with due date, end and outcome."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "35 1 * * *"
measures  = ["QIM 1"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of PREGNANCIES (a small table), because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id            = { type = "int not null", class = "operational", description = "Key of the pregnancy within the site" }
patient_id           = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status        = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
due                  = { type = "datetime", class = "quasi", privacy = "day", description = "By scan where the practice uses the scan, else by date" }
ended                = { type = "datetime", class = "quasi", privacy = "day", description = "Null while open" }
outcome_code         = { type = "int not null", class = "clinical", description = "0 none, 1 live birth, 2 miscarriage, 3 termination, 4 ectopic, 5 IUFD, 6 stillbirth, 7 mole" }
gestational_diabetes = { type = "int not null", class = "clinical", description = "1 if recorded" }
hypertension         = { type = "int not null", class = "clinical", description = "1 if recorded" }
changed              = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    g.PREGNANCYID                    AS record_id,
    g.INTERNALID                     AS patient_id,
    g.RECORDSTATUS                   AS record_status,
    CASE WHEN g.USESCAN = 1 THEN g.EDCBYSCAN ELSE g.EDCBYDATE END AS due,
    g.ENDDATE                        AS ended,
    g.OUTCOMECODE                    AS outcome_code,
    g.GDM                            AS gestational_diabetes,
    g.HYPERTENSION                   AS hypertension,
    COALESCE(g.UPDATED, g.CREATED)   AS changed
FROM PREGNANCIES AS g
JOIN PATIENTS AS p ON p.INTERNALID = g.INTERNALID
WHERE COALESCE(g.UPDATED, g.CREATED) >= @window_start
  AND COALESCE(g.UPDATED, g.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY g.PREGNANCYID
