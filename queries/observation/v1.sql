/*---
purpose   = "Recorded measurements: blood pressure, weight, height, waist and others, one value a row. Blood pressure is two rows with the same day and time."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "20 1 * * *"
measures  = ["QIM 3", "QIM 8", "QIM 10"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of OBSERVATIONS (one of the largest tables; an index covers the columns), because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id        = { type = "int not null", class = "operational", description = "Key of the measurement within the site" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id      = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status    = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
observed         = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the measurement" }
observed_seconds = { type = "int not null", class = "operational", description = "Seconds after midnight" }
observation_code = { type = "int not null", class = "clinical", description = "3 systolic and 4 diastolic blood pressure, 7 height (cm), 8 weight (kg), 9 BMI, 17 waist, ..." }
observation      = { type = "varchar(25) not null", class = "clinical", description = "Name of the measurement" }
value            = { type = "varchar(12) not null", class = "clinical", description = "Usually a number; can be blank, a word or begin with < or >" }
modifier         = { type = "int not null", class = "clinical", description = "Qualifier of the measurement, for example position or side; 0 for none" }
changed          = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    o.RECORDID                       AS record_id,
    o.INTERNALID                     AS patient_id,
    o.USERID                         AS provider_id,
    o.RECORDSTATUS                   AS record_status,
    o.OBSDATE                        AS observed,
    o.OBSTIME                        AS observed_seconds,
    o.DATACODE                       AS observation_code,
    RTRIM(o.DATANAME)                AS observation,
    RTRIM(o.DATAVALUE)               AS value,
    o.MODIFIER                       AS modifier,
    COALESCE(o.UPDATED, o.CREATED)   AS changed
FROM OBSERVATIONS AS o
JOIN PATIENTS AS p ON p.INTERNALID = o.INTERNALID
WHERE COALESCE(o.UPDATED, o.CREATED) >= @window_start
  AND COALESCE(o.UPDATED, o.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY o.RECORDID
