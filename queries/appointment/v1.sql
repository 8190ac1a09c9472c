/*---
purpose   = "The appointment book: slots of patients with status, lengths and waiting. Reasons and comments stay behind; slots that are not of a patient are not in it."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "40 1 * * *"
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of APPOINTMENTS, because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id             = { type = "int not null", class = "operational", description = "Key of the slot within the site" }
visit_id              = { type = "int", class = "operational", description = "See visit; null until the patient came" }
patient_id            = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id           = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status         = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
booked_for            = { type = "datetime not null", class = "quasi", privacy = "day", description = "Day of the appointment" }
booked_for_seconds    = { type = "int not null", class = "operational", description = "Seconds after midnight" }
length_seconds        = { type = "int not null", class = "operational", description = "Length that was booked, in seconds" }
status_code           = { type = "int not null", class = "operational", description = "Code of APPOINTMENTCODES; the practice's wording is in status" }
status                = { type = "varchar(20)", class = "operational", description = "Booked, Completed, Did not attend, ..." }
appointment_type_code = { type = "int not null", class = "operational", description = "See reference_lookup, domain appointment_type" }
arrived_seconds       = { type = "int", class = "operational", description = "Seconds after midnight; null until the patient came" }
seen_seconds          = { type = "int", class = "operational", description = "Seconds after midnight; null until the patient was seen" }
urgent                = { type = "int not null", class = "operational", description = "1 if booked as urgent" }
location_id           = { type = "int not null", class = "operational", description = "Clinic, see reference_location" }
changed               = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    a.RECORDID                       AS record_id,
    NULLIF(a.VISITID, 0)             AS visit_id,
    a.INTERNALID                     AS patient_id,
    a.USERID                         AS provider_id,
    a.RECORDSTATUS                   AS record_status,
    a.APPOINTMENTDATE                AS booked_for,
    a.APPOINTMENTTIME                AS booked_for_seconds,
    a.APPOINTMENTLENGTH              AS length_seconds,
    a.APPOINTMENTCODE                AS status_code,
    RTRIM(c.DESCRIPTION)             AS status,
    a.APPOINTMENTTYPE                AS appointment_type_code,
    NULLIF(a.ARRIVALTIME, 0)         AS arrived_seconds,
    NULLIF(a.CONSULTATIONTIME, 0)    AS seen_seconds,
    a.URGENT                         AS urgent,
    a.LOCATIONID                     AS location_id,
    COALESCE(a.UPDATED, a.CREATED)   AS changed
FROM APPOINTMENTS AS a
JOIN PATIENTS AS p ON p.INTERNALID = a.INTERNALID
LEFT JOIN APPOINTMENTCODES AS c ON c.APPOINTMENTCODE = a.APPOINTMENTCODE
WHERE COALESCE(a.UPDATED, a.CREATED) >= @window_start
  AND COALESCE(a.UPDATED, a.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY a.RECORDID
