/*---
purpose   = "Counts and high-water marks of the tables behind the extracts, so that a loss is seen: fewer rows than yesterday, a key or change that no extract brought. It also counts, table by table, the rows that the extracts leave behind on purpose: total_rows less withheld_rows is what a full extract brings, and due_rows what has to be there by now; `output reconcile` compares."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["table_name"]
cron      = "50 1 * * *"
opt_out   = "Counts only, patients who opted out included, because a control must count what is there; withheld_rows counts what is kept out, by the same conditions as the extracts. Fails with error 207 where the opt-out column is absent."
cost      = "One scan of each table, joined by hash with three columns of PATIENTS; the costliest query of the night, and the only one that counts what is withheld from all of them. It reads only narrow columns. CURRENTRX is left out because some practices refuse it, and a refusal would take all other counts with it."

[columns]
table_name    = { type = "varchar(20) not null", class = "operational", description = "Table of the practice's database" }
brought_by    = { type = "varchar(20)", class = "operational", description = "The query whose objects hold a row for each of its rows; null for a table that is only joined" }
total_rows    = { type = "int not null", class = "operational", description = "Rows of the table, deleted ones among them" }
live_rows     = { type = "int", class = "operational", description = "Rows that stand; null in an empty table, and for CLINICAL, which has no record status" }
largest_key   = { type = "int", class = "operational", description = "Null in an empty table, and for PATIENTS and CLINICAL, whose keys name persons" }
last_changed  = { type = "datetime", class = "operational", description = "Newest change of any row, in the practice's local time; null in an empty table" }
withheld_rows = { type = "int", class = "operational", description = "Rows that the extracts leave behind: of patients who opted out or are closed, marked confidential, or of no patient at all; null in an empty table" }
due_rows      = { type = "int", class = "operational", description = "Rows that are not withheld and last changed before the day of the snapshot, so that some extract has brought them; null in an empty table and where brought_by is" }
---*/
SELECT
    CAST('PATIENTS' AS varchar(20)) AS table_name,
    CAST('patient' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    CAST(NULL AS int) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN t.DATASHARINGOPTOUT = 0 AND t.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN t.DATASHARINGOPTOUT = 0 AND t.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM PATIENTS AS t
UNION ALL
SELECT
    CAST('CLINICAL' AS varchar(20)) AS table_name,
    CAST('social_history' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    CAST(NULL AS int) AS live_rows,
    CAST(NULL AS int) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM CLINICAL AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('TOBACCO' AS varchar(20)) AS table_name,
    CAST(NULL AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    CAST(NULL AS int) AS due_rows
FROM TOBACCO AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('ALCOHOL' AS varchar(20)) AS table_name,
    CAST(NULL AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    CAST(NULL AS int) AS due_rows
FROM ALCOHOL AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('VISITS' AS varchar(20)) AS table_name,
    CAST('visit' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.VISITID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN t.CONFIDENTIAL = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN t.CONFIDENTIAL = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM VISITS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('VISITREASON' AS varchar(20)) AS table_name,
    CAST('visit_reason' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN v.CONFIDENTIAL = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN v.CONFIDENTIAL = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM VISITREASON AS t
LEFT JOIN VISITS AS v ON v.VISITID = t.VISITID
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('PASTHISTORY' AS varchar(20)) AS table_name,
    CAST('condition' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN t.PRIVACYCODE = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN t.PRIVACYCODE = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM PASTHISTORY AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('OBSERVATIONS' AS varchar(20)) AS table_name,
    CAST('observation' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM OBSERVATIONS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('REPORTVALUES' AS varchar(20)) AS table_name,
    CAST('result_value' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN COALESCE(i.CONFIDENTIALFLAG, 0) = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN COALESCE(i.CONFIDENTIALFLAG, 0) = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM REPORTVALUES AS t
LEFT JOIN INVESTIGATIONS AS i ON i.REPORTID = t.REPORTID
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('INVESTIGATIONS' AS varchar(20)) AS table_name,
    CAST('investigation' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.REPORTID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN t.CONFIDENTIALFLAG = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN t.CONFIDENTIALFLAG = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM INVESTIGATIONS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('IMMUNISATIONS' AS varchar(20)) AS table_name,
    CAST('immunisation' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM IMMUNISATIONS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('PRESCRIPTIONS' AS varchar(20)) AS table_name,
    CAST(NULL AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.SCRIPTID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    CAST(NULL AS int) AS due_rows
FROM PRESCRIPTIONS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('SCRIPTITEMS' AS varchar(20)) AS table_name,
    CAST('prescription_item' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN x.SCRIPTID IS NOT NULL AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN x.SCRIPTID IS NOT NULL AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date
              AND COALESCE(x.UPDATED, x.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM SCRIPTITEMS AS t
LEFT JOIN PRESCRIPTIONS AS x ON x.SCRIPTID = t.SCRIPTID
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('REACTIONS' AS varchar(20)) AS table_name,
    CAST('allergy' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM REACTIONS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('PAPSMEARS' AS varchar(20)) AS table_name,
    CAST('cervical_screening' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM PAPSMEARS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('OBSGYNDETAIL' AS varchar(20)) AS table_name,
    CAST('cervical_screening' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM OBSGYNDETAIL AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('PREGNANCIES' AS varchar(20)) AS table_name,
    CAST('pregnancy' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.PREGNANCYID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM PREGNANCIES AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('APPOINTMENTS' AS varchar(20)) AS table_name,
    CAST('appointment' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.RECORDID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM APPOINTMENTS AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('INVOICES' AS varchar(20)) AS table_name,
    CAST(NULL AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.INVOICEID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    CAST(NULL AS int) AS due_rows
FROM INVOICES AS t
LEFT JOIN PATIENTS AS p ON p.INTERNALID = t.INTERNALID
UNION ALL
SELECT
    CAST('SERVICES' AS varchar(20)) AS table_name,
    CAST('service' AS varchar(20)) AS brought_by,
    COUNT(*) AS total_rows,
    SUM(CASE WHEN t.RECORDSTATUS = 1 THEN 1 ELSE 0 END) AS live_rows,
    MAX(t.SERVICEID) AS largest_key,
    MAX(COALESCE(t.UPDATED, t.CREATED)) AS last_changed,
    SUM(CASE WHEN COALESCE(v.CONFIDENTIAL, 0) = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0 THEN 0 ELSE 1 END) AS withheld_rows,
    SUM(CASE WHEN COALESCE(v.CONFIDENTIAL, 0) = 0 AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
              AND COALESCE(t.UPDATED, t.CREATED) < @snapshot_date
              AND COALESCE(n.UPDATED, n.CREATED) < @snapshot_date THEN 1 ELSE 0 END) AS due_rows
FROM SERVICES AS t
LEFT JOIN INVOICES AS n ON n.INVOICEID = t.INVOICEID
LEFT JOIN VISITS AS v ON v.VISITID = t.VISITID
LEFT JOIN PATIENTS AS p ON p.INTERNALID = n.INTERNALID
ORDER BY table_name
