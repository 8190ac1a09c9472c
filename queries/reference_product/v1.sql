/*---
purpose   = "Medicines with their ingredients and classes, one row for each ingredient and class of a product."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSDrugs"
mode      = "snapshot"
key       = ["product_id", "ingredient_id", "drug_class_id"]
cron      = "0 3 1 * *"
cost      = "Six tables of the drug database, some tens of thousands of rows."

[columns]
product_id    = { type = "int not null", class = "operational", description = "As in prescription_item and current_medication" }
product_name  = { type = "varchar(60)", class = "operational", description = "Name of the product" }
ingredient_id = { type = "int not null", class = "operational", description = "0 when none is linked" }
ingredient    = { type = "varchar(60)", class = "operational", description = "Name of the ingredient; null when none is linked" }
drug_class_id = { type = "int not null", class = "operational", description = "0 when none is linked" }
drug_class    = { type = "varchar(60)", class = "operational", description = "Name of the class; null when none is linked" }
---*/
SELECT
    t.PRODUCTID                 AS product_id,
    RTRIM(m.PRODUCTNAME)        AS product_name,
    COALESCE(l.INGREDIENTID, 0) AS ingredient_id,
    RTRIM(i.INGREDIENTNAME)     AS ingredient,
    COALESCE(k.DRUGCLASSID, 0)  AS drug_class_id,
    RTRIM(c.DESCRIPTION)        AS drug_class
FROM PRODUCTS AS t
LEFT JOIN PRODUCTNAMES AS m ON m.PRODUCTNAMEID = t.PRODUCTNAMEID
LEFT JOIN PRODUCT_INGREDIENT AS l ON l.PRODUCTID = t.PRODUCTID
LEFT JOIN INGREDIENTS AS i ON i.INGREDIENTID = l.INGREDIENTID
LEFT JOIN INGREDIENT_DRUGCLASS AS k ON k.INGREDIENTID = l.INGREDIENTID AND k.RECORDSTATUS = 1
LEFT JOIN DRUGCLASSES AS c ON c.DRUGCLASSID = k.DRUGCLASSID
ORDER BY t.PRODUCTID, COALESCE(l.INGREDIENTID, 0), COALESCE(k.DRUGCLASSID, 0)
