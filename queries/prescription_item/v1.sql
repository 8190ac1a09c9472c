/*---
purpose   = "Prescribed medicines, one item of a script a row. Instructions stay behind."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "greatest of coalesce(UPDATED, CREATED) of PRESCRIPTIONS, SCRIPTITEMS"
overlap   = "2 days"
key       = ["record_id"]
cron      = "30 1 * * *"
measures  = ["QIM 8"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of SCRIPTITEMS (one of the largest tables) joined with PRESCRIPTIONS by key, and a seek of PATIENTS for each changed row."

[columns]
record_id        = { type = "int not null", class = "operational", description = "Key of the item within the site" }
script_id        = { type = "int not null", class = "operational", description = "Items of one script share it" }
patient_id       = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id      = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status    = { type = "int not null", class = "operational", description = "1 for an item that stands on a script that stands; any other value is a deletion" }
prescribed       = { type = "datetime not null", class = "quasi", privacy = "day", description = "Day of the script" }
product_id       = { type = "int not null", class = "clinical", description = "See reference_product" }
product_name     = { type = "varchar(150)", class = "clinical", privacy = "keep", description = "Product as the practice's list names it" }
strength         = { type = "varchar(75)", class = "clinical", description = "Strength as text" }
dose             = { type = "varchar(20)", class = "clinical", privacy = "keep", description = "Dose as text, for example 1 or 1/2" }
frequency_code   = { type = "int not null", class = "clinical", description = "The practice software's code of how often; 0 if not recorded" }
quantity         = { type = "int not null", class = "clinical", description = "How many units a supply has" }
repeats          = { type = "int not null", class = "clinical", description = "How many more supplies the script allows" }
restriction_code = { type = "int not null", class = "clinical", description = "PBS restriction" }
closing_the_gap  = { type = "varchar(10)", class = "quasi", description = "Mark of the closing-the-gap co-payment" }
cancelled        = { type = "datetime", class = "quasi", privacy = "day", description = "Day on which the script was cancelled; null if it was not" }
changed          = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
WITH item AS (
    SELECT
        s.RECORDID,
        CASE
            WHEN COALESCE(x.UPDATED, x.CREATED) > COALESCE(s.UPDATED, s.CREATED)
                THEN COALESCE(x.UPDATED, x.CREATED)
            ELSE COALESCE(s.UPDATED, s.CREATED)
        END AS CHANGED
    FROM SCRIPTITEMS AS s
    JOIN PRESCRIPTIONS AS x ON x.SCRIPTID = s.SCRIPTID
)
SELECT
    s.RECORDID                       AS record_id,
    s.SCRIPTID                       AS script_id,
    s.INTERNALID                     AS patient_id,
    x.USERID                         AS provider_id,
    CASE WHEN x.RECORDSTATUS = 1 THEN s.RECORDSTATUS ELSE x.RECORDSTATUS END AS record_status,
    x.SCRIPTDATE                     AS prescribed,
    s.PRODUCTID                      AS product_id,
    RTRIM(s.PRODUCTNAME)             AS product_name,
    RTRIM(s.STRENGTH)                AS strength,
    RTRIM(s.DOSE)                    AS dose,
    s.FREQUENCY                      AS frequency_code,
    s.QUANTITY                       AS quantity,
    s.REPEATS                        AS repeats,
    x.RESTRICTIONCODE                AS restriction_code,
    NULLIF(RTRIM(x.CTG), '')         AS closing_the_gap,
    x.DELETIONDATE                   AS cancelled,
    i.CHANGED                        AS changed
FROM item AS i
JOIN SCRIPTITEMS AS s ON s.RECORDID = i.RECORDID
JOIN PRESCRIPTIONS AS x ON x.SCRIPTID = s.SCRIPTID
JOIN PATIENTS AS p ON p.INTERNALID = s.INTERNALID
WHERE i.CHANGED >= @window_start
  AND i.CHANGED < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY s.RECORDID
