/*---
purpose   = "Patients with what a denominator needs: year of birth, sex, ethnicity, area, status. A slot blocker that the practice keeps as a patient looks like one without a year of birth."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["patient_id"]
cron      = "0 1 * * *"
measures  = ["QIM 1", "QIM 2", "QIM 3", "QIM 4", "QIM 5", "QIM 6", "QIM 7", "QIM 8", "QIM 9", "QIM 10"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
withheld  = "SELECT COUNT(*) AS withheld FROM PATIENTS AS p WHERE COALESCE(p.UPDATED, p.CREATED) >= @window_start AND COALESCE(p.UPDATED, p.CREATED) < @window_end AND CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END = 1"
cost      = "One scan of PATIENTS (tens of thousands of rows) and three small code tables."

[columns]
patient_id        = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status     = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
birth_year        = { type = "datetime", class = "quasi", privacy = "year", description = "Year of birth; 1900 is a placeholder for not known" }
sex               = { type = "varchar(10)", class = "quasi", description = "As the practice's code table words it" }
ethnicity         = { type = "varchar(50)", class = "quasi", description = "As the practice's code table words it; null if not recorded" }
postcode          = { type = "varchar(4)", class = "quasi", privacy = "postcode3", description = "First three digits of the postcode" }
patient_status    = { type = "varchar(12)", class = "quasi", description = "Active, Inactive, Deceased and the like" }
death_month       = { type = "datetime", class = "quasi", privacy = "month", description = "Month of death" }
pension_code      = { type = "int not null", class = "quasi", description = "Concession, code of PENSIONTYPE; 0 for none" }
dva_code          = { type = "int not null", class = "quasi", description = "Veteran card; 0 for none" }
care_home_tier    = { type = "int not null", class = "quasi", description = "Health care home tier; 0 for none" }
closing_the_gap   = { type = "int not null", class = "quasi", description = "Registered for the closing-the-gap co-payment" }
usual_provider_id = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Usual doctor" }
changed           = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    p.INTERNALID                     AS patient_id,
    p.RECORDSTATUS                   AS record_status,
    p.DOB                            AS birth_year,
    RTRIM(x.SEX)                     AS sex,
    RTRIM(e.ETHNICTYPE)              AS ethnicity,
    RTRIM(p.POSTCODE)                AS postcode,
    RTRIM(s.STATUSTEXT)              AS patient_status,
    p.DATEOFDEATH                    AS death_month,
    p.PENSIONCODE                    AS pension_code,
    p.DVACODE                        AS dva_code,
    p.HCHTIER                        AS care_home_tier,
    p.CTG                            AS closing_the_gap,
    p.USERID                         AS usual_provider_id,
    COALESCE(p.UPDATED, p.CREATED)   AS changed
FROM PATIENTS AS p
LEFT JOIN SEX AS x ON x.SEXCODE = p.SEXCODE
LEFT JOIN ETHNICITY AS e ON e.ETHNICCODE = p.ETHNICCODE
LEFT JOIN PATIENTSTATUS AS s ON s.STATUSCODE = p.PATIENTSTATUS
WHERE COALESCE(p.UPDATED, p.CREATED) >= @window_start
  AND COALESCE(p.UPDATED, p.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY p.INTERNALID
