/*---
purpose   = "Allergies and adverse reactions."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "15 1 * * *"
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan of REACTIONS (a small table), because no index leads with CREATED or UPDATED, and a seek of PATIENTS for each changed row. Once a night, in quiet hours."

[columns]
record_id     = { type = "int not null", class = "operational", description = "Key of the reaction within the site" }
patient_id    = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
provider_id   = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "provider", description = "Who recorded it" }
record_status = { type = "int not null", class = "operational", description = "1 active; any other value is inactive or deleted" }
item_type     = { type = "int not null", class = "clinical", description = "1 product, 2 ingredient, 3 class of drugs" }
item_code     = { type = "int not null", class = "clinical", description = "Product name, ingredient or class, as item_type says" }
item_name     = { type = "varchar(50) not null", class = "clinical", privacy = "keep", description = "Name of the product, ingredient or class, as chosen from the practice's lists" }
reaction_code = { type = "int not null", class = "clinical", description = "The practice software's code of the reaction; 0 if not recorded" }
severity_code = { type = "int not null", class = "clinical", description = "Code of SEVERITYCODES; 0 if not recorded" }
changed       = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
SELECT
    r.RECORDID                       AS record_id,
    r.INTERNALID                     AS patient_id,
    r.USERID                         AS provider_id,
    r.RECORDSTATUS                   AS record_status,
    r.ITEMTYPE                       AS item_type,
    r.ITEMCODE                       AS item_code,
    RTRIM(r.ITEMNAME)                AS item_name,
    r.REACTIONCODE                   AS reaction_code,
    r.SEVERITY                       AS severity_code,
    COALESCE(r.UPDATED, r.CREATED)   AS changed
FROM REACTIONS AS r
JOIN PATIENTS AS p ON p.INTERNALID = r.INTERNALID
WHERE COALESCE(r.UPDATED, r.CREATED) >= @window_start
  AND COALESCE(r.UPDATED, r.CREATED) < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY r.RECORDID
