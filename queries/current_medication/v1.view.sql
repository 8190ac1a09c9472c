/*---
why     = "For practices that do not let CURRENTRX be read (error 229): their view BPS_CurrentRx shows neither when a row changed nor what was ceased or deleted, so its rows are the medicines in use on the night."
brings  = "whole"
opt_out = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost    = "The whole view each night: every medicine in use, some tens of thousands of narrow rows, with a hash join of PATIENTS."
---*/
SELECT
    CAST('view' AS varchar(5))       AS source,
    r.RecordID                       AS record_id,
    r.InternalID                     AS patient_id,
    1                                AS record_status,
    r.ProductID                      AS product_id,
    RTRIM(r.DrugName)                AS drug_name,
    r.RxStatus                       AS status_code,
    r.FirstDate                      AS first_prescribed,
    r.LastDate                       AS last_prescribed,
    CAST(NULL AS datetime)           AS ceased,
    r.IndicationCode                 AS indication_code,
    CAST(NULL AS datetime)           AS changed
FROM BPS_CurrentRx AS r
JOIN PATIENTS AS p ON p.INTERNALID = r.InternalID
WHERE p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RecordID
