/*---
purpose   = "Counts and high-water marks of the tables behind the extracts, so that a loss is seen: fewer rows than yesterday, a key or change that no extract brought, and how many patients are withheld."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["table_name"]
cron      = "50 1 * * *"
opt_out   = "Counts only, patients who opted out included, because a control must count what is there; withheld_rows says how many patients are kept out. Fails with error 207 where the opt-out column is absent."
cost      = "One scan of each table, the costliest query of the night; it reads only narrow columns. CURRENTRX and CLINICAL are left out: the first may be unreadable, the second has no record status."

[columns]
table_name    = { type = "varchar(20) not null", class = "operational" }
total_rows    = { type = "int not null", class = "operational" }
live_rows     = { type = "int", class = "operational", description = "Rows that stand; null in an empty table" }
largest_key   = { type = "int", class = "operational", description = "Null in an empty table, and for PATIENTS, whose keys name persons" }
last_changed  = { type = "datetime", class = "operational" }
withheld_rows = { type = "int", class = "operational", description = "Patients who opted out or are closed; null for other tables" }
---*/
SELECT
    CAST('PATIENTS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    CAST(NULL AS int) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN t.DATASHARINGOPTOUT = 0 AND t.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows
FROM PATIENTS AS t
UNION ALL
SELECT
    CAST('TOBACCO' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM TOBACCO AS t
UNION ALL
SELECT
    CAST('ALCOHOL' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM ALCOHOL AS t
UNION ALL
SELECT
    CAST('VISITS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.VISITID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM VISITS AS t
UNION ALL
SELECT
    CAST('VISITREASON' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM VISITREASON AS t
UNION ALL
SELECT
    CAST('PASTHISTORY' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM PASTHISTORY AS t
UNION ALL
SELECT
    CAST('OBSERVATIONS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM OBSERVATIONS AS t
UNION ALL
SELECT
    CAST('REPORTVALUES' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM REPORTVALUES AS t
UNION ALL
SELECT
    CAST('INVESTIGATIONS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.REPORTID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM INVESTIGATIONS AS t
UNION ALL
SELECT
    CAST('IMMUNISATIONS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM IMMUNISATIONS AS t
UNION ALL
SELECT
    CAST('PRESCRIPTIONS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.SCRIPTID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM PRESCRIPTIONS AS t
UNION ALL
SELECT
    CAST('SCRIPTITEMS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM SCRIPTITEMS AS t
UNION ALL
SELECT
    CAST('REACTIONS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM REACTIONS AS t
UNION ALL
SELECT
    CAST('PAPSMEARS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM PAPSMEARS AS t
UNION ALL
SELECT
    CAST('OBSGYNDETAIL' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM OBSGYNDETAIL AS t
UNION ALL
SELECT
    CAST('PREGNANCIES' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.PREGNANCYID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM PREGNANCIES AS t
UNION ALL
SELECT
    CAST('APPOINTMENTS' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM APPOINTMENTS AS t
UNION ALL
SELECT
    CAST('INVOICES' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.INVOICEID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM INVOICES AS t
UNION ALL
SELECT
    CAST('SERVICES' AS varchar(20)) AS table_name,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.SERVICEID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    CAST(NULL AS int) AS withheld_rows
FROM SERVICES AS t
ORDER BY table_name
