/*---
purpose   = "The clinics that share the database. Names stay behind."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "snapshot"
key       = ["location_id"]
cron      = "0 3 1 * *"
cost      = "One scan of LOCATIONS, a few rows."

[columns]
location_id   = { type = "int not null", class = "operational", description = "Key of the clinic within the site" }
record_status = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
postcode      = { type = "varchar(4)", class = "quasi", privacy = "postcode3", description = "First three digits of the postcode" }
---*/
SELECT
    l.LOCATIONID      AS location_id,
    l.RECORDSTATUS    AS record_status,
    RTRIM(l.POSTCODE) AS postcode
FROM LOCATIONS AS l
ORDER BY l.LOCATIONID
