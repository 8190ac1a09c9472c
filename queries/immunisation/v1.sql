/*---
purpose   = "Vaccine doses, given here or elsewhere. The diseases of a vaccine are in reference_vaccine."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "15 1 * * *"
measures  = ["QIM 4", "QIM 5", "QIM 6"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of IMMUNISATIONS, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id       = { type = "int not null", class = "operational", description = "Key of the dose within the site" }
patient_id      = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id     = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status   = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
given           = { type = "datetime", class = "quasi", privacy = "day", description = "Day of the dose" }
given_elsewhere = { type = "int not null", class = "clinical", description = "1 when another provider gave it" }
vaccine_id      = { type = "int not null", class = "clinical", description = "See reference_vaccine" }
vaccine_name    = { type = "varchar(50) not null", class = "clinical", description = "Name of the vaccine, as recorded with the dose" }
batch_number    = { type = "varchar(20)", class = "operational", description = "Batch; null if not recorded" }
dose_number     = { type = "int not null", class = "clinical", description = "From 1; 0 if not recorded" }
status_code     = { type = "int not null", class = "clinical", description = "Given or refused" }
changed         = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    i.RECORDID                       AS record_id,
    i.INTERNALID                     AS patient_id,
    i.USERID                         AS provider_id,
    i.RECORDSTATUS                   AS record_status,
    i.GIVENDATE                      AS given,
    i.NOTGIVENHERE                   AS given_elsewhere,
    i.VACCINEID                      AS vaccine_id,
    RTRIM(i.VACCINENAME)             AS vaccine_name,
    NULLIF(RTRIM(i.BATCHNUMBER), '') AS batch_number,
    i.SEQUENCE                       AS dose_number,
    i.Status                         AS status_code,
    COALESCE(i.UPDATED, i.CREATED)   AS changed
FROM IMMUNISATIONS AS i
JOIN PATIENTS AS p ON p.INTERNALID = i.INTERNALID
WHERE COALESCE(i.UPDATED, i.CREATED) >= @window_start
  AND COALESCE(i.UPDATED, i.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY i.RECORDID
