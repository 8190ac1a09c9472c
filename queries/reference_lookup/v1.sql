/*---
purpose   = "What the codes of the other queries mean at this practice, all code tables in one."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["domain", "code"]
cron      = "0 3 1 * *"
cost      = "A dozen code tables of a few rows each."

[columns]
domain = { type = "varchar(20) not null", class = "operational", description = "sex, ethnicity, visit_type, ..." }
code   = { type = "int not null", class = "operational", description = "The code" }
label  = { type = "varchar(250)", class = "operational", description = "What it means at this practice" }
---*/
SELECT CAST('sex' AS varchar(20)) AS domain, t.SEXCODE AS code, CAST(RTRIM(t.SEX) AS varchar(250)) AS label
FROM SEX AS t
UNION ALL
SELECT CAST('ethnicity' AS varchar(20)) AS domain, t.ETHNICCODE AS code, CAST(RTRIM(t.ETHNICTYPE) AS varchar(250)) AS label
FROM ETHNICITY AS t
UNION ALL
SELECT CAST('patient_status' AS varchar(20)) AS domain, t.STATUSCODE AS code, CAST(RTRIM(t.STATUSTEXT) AS varchar(250)) AS label
FROM PATIENTSTATUS AS t
UNION ALL
SELECT CAST('pension_type' AS varchar(20)) AS domain, t.PENSIONCODE AS code, CAST(RTRIM(t.PENSIONTYPE) AS varchar(250)) AS label
FROM PENSIONTYPE AS t
UNION ALL
SELECT CAST('visit_type' AS varchar(20)) AS domain, t.VISITCODE AS code, CAST(RTRIM(t.VISITTYPE) AS varchar(250)) AS label
FROM VISITTYPE AS t
UNION ALL
SELECT CAST('smoking_status' AS varchar(20)) AS domain, t.SMOKINGCODE AS code, CAST(RTRIM(t.SMOKINGTEXT) AS varchar(250)) AS label
FROM SMOKINGSTATUS AS t
UNION ALL
SELECT CAST('appointment_status' AS varchar(20)) AS domain, t.APPOINTMENTCODE AS code, CAST(RTRIM(t.DESCRIPTION) AS varchar(250)) AS label
FROM APPOINTMENTCODES AS t
UNION ALL
SELECT CAST('appointment_type' AS varchar(20)) AS domain, t.APPOINTMENTCODE AS code, CAST(RTRIM(t.DESCRIPTION) AS varchar(250)) AS label
FROM APPOINTMENTTYPES AS t
UNION ALL
SELECT CAST('cervical_test' AS varchar(20)) AS domain, t.CSTCODE AS code, CAST(RTRIM(t.CSTTYPE) AS varchar(250)) AS label
FROM CSTCODES AS t
UNION ALL
SELECT CAST('cervical_result' AS varchar(20)) AS domain, t.PAPCODE AS code, CAST(RTRIM(t.PAPRESULT) AS varchar(250)) AS label
FROM PAPRESULTS AS t
UNION ALL
SELECT CAST('severity' AS varchar(20)) AS domain, t.SEVERITYCODE AS code, CAST(RTRIM(t.SEVERITY) AS varchar(250)) AS label
FROM SEVERITYCODES AS t
UNION ALL
SELECT CAST('user_group' AS varchar(20)) AS domain, t.GROUPCODE AS code, CAST(RTRIM(t.GROUPNAME) AS varchar(250)) AS label
FROM USERGROUPS AS t
ORDER BY domain, code
