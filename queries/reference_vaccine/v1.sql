/*---
purpose   = "Which diseases a vaccine is against; influenza is disease 7 or 30."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSDrugs"
mode      = "snapshot"
key       = ["vaccine_id", "disease_code"]
cron      = "0 3 1 * *"
measures  = ["QIM 4", "QIM 5", "QIM 6"]
cost      = "Three small tables of the drug database."

[columns]
vaccine_id    = { type = "int not null", class = "operational", description = "As in immunisation" }
disease_code  = { type = "int not null", class = "operational", description = "7 and 30 influenza, 9 measles, ..." }
vaccine_name  = { type = "varchar(50)", class = "operational", description = "Name of the vaccine" }
disease       = { type = "varchar(50)", class = "operational", description = "Name of the disease" }
register_code = { type = "varchar(10)", class = "operational", description = "Code at the immunisation register" }
for_children  = { type = "int not null", class = "operational", description = "1 for a vaccine of childhood" }
---*/
SELECT
    v.VACCINEID          AS vaccine_id,
    d.DISEASECODE        AS disease_code,
    RTRIM(v.VACCINENAME) AS vaccine_name,
    RTRIM(n.DISEASENAME) AS disease,
    RTRIM(v.ACIRCODE)    AS register_code,
    v.CHILDHOOD          AS for_children
FROM VACCINES AS v
JOIN VACCINE_DISEASE AS d ON d.VACCINEID = v.VACCINEID
LEFT JOIN VAXDISEASES AS n ON n.DISEASECODE = d.DISEASECODE
ORDER BY v.VACCINEID, d.DISEASECODE
