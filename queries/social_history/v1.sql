/*---
purpose   = "Smoking, alcohol, allergy status and living situation, one row per patient, as they stand when anything of it was last written."
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "greatest of coalesce(UPDATED, CREATED) of CLINICAL, TOBACCO, ALCOHOL"
overlap   = "2 days"
key       = ["patient_id"]
cron      = "5 1 * * *"
measures  = ["QIM 2", "QIM 7", "QIM 8"]
opt_out   = "Keeps patients with DATASHARINGOPTOUT = 0 and DENYACCESS = 0 only. The column's real name is not public, this one is invented: where it is absent the server answers error 207 and nothing leaves."
cost      = "One scan each of CLINICAL, TOBACCO and ALCOHOL, a few rows per patient at most."

[columns]
patient_id             = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient", description = "The patient; the same pseudonym in every query of the site" }
record_status          = { type = "int not null", class = "operational", description = "1 for a row that stands; any other value is a deletion" }
smoking_status         = { type = "int not null", class = "clinical", description = "0 not recorded, 1 non smoker, 2 ex smoker, 3 smoker" }
smokes_per_day         = { type = "int", class = "clinical", description = "Of the newest tobacco record; null without one" }
smoking_stopped_year   = { type = "int", class = "clinical", description = "Null if not recorded" }
smoking_recorded       = { type = "datetime", class = "quasi", privacy = "day", description = "When smoking was last written; null when it was asked without a tobacco record" }
alcohol_status         = { type = "int not null", class = "clinical", description = "0 not recorded, 1 nil, 2 occasional, 3 moderate, 4 heavy" }
drinking_days_per_week = { type = "int", class = "clinical", description = "Of the newest alcohol record; null without one" }
drinks_per_day         = { type = "int", class = "clinical", description = "Of the newest alcohol record; null without one" }
non_drinker            = { type = "int", class = "clinical", description = "1 for a recorded non-drinker" }
alcohol_recorded       = { type = "datetime", class = "quasi", privacy = "day", description = "When alcohol was last written" }
known_allergies        = { type = "int not null", class = "clinical", description = "0 not recorded, 1 nil known, 2 some recorded" }
accommodation          = { type = "int", class = "quasi", description = "1 own home, 5 residential aged care, 6 homeless, ..." }
lives_with             = { type = "int", class = "quasi", description = "1 spouse, 2 relative, 3 friend, 4 alone" }
has_carer              = { type = "int", class = "quasi", description = "1 yes, 2 no" }
changed                = { type = "datetime not null", class = "operational", description = "When the row was last written, in the practice's local time" }
---*/
WITH smoking AS (
    SELECT
        t.INTERNALID,
        MAX(CASE WHEN t.RECORDSTATUS = 1 THEN t.RECORDID END) AS LATEST,
        MAX(COALESCE(t.UPDATED, t.CREATED))                  AS CHANGED
    FROM TOBACCO AS t
    GROUP BY t.INTERNALID
),
drinking AS (
    SELECT
        a.INTERNALID,
        MAX(CASE WHEN a.RECORDSTATUS = 1 THEN a.RECORDID END) AS LATEST,
        MAX(COALESCE(a.UPDATED, a.CREATED))                  AS CHANGED
    FROM ALCOHOL AS a
    GROUP BY a.INTERNALID
),
dated AS (
    SELECT
        c.INTERNALID,
        t.LATEST AS TOBACCOID,
        a.LATEST AS ALCOHOLID,
        CASE
            WHEN t.CHANGED > COALESCE(c.UPDATED, c.CREATED) AND (a.CHANGED IS NULL OR t.CHANGED >= a.CHANGED)
                THEN t.CHANGED
            WHEN a.CHANGED > COALESCE(c.UPDATED, c.CREATED) THEN a.CHANGED
            ELSE COALESCE(c.UPDATED, c.CREATED)
        END AS CHANGED
    FROM CLINICAL AS c
    LEFT JOIN smoking AS t ON t.INTERNALID = c.INTERNALID
    LEFT JOIN drinking AS a ON a.INTERNALID = c.INTERNALID
)
SELECT
    c.INTERNALID                     AS patient_id,
    p.RECORDSTATUS                   AS record_status,
    COALESCE(t.SMOKINGCODE, c.SMOKINGSTATUS) AS smoking_status,
    t.SMOKESPERDAY                   AS smokes_per_day,
    NULLIF(t.PASTSTOPPED, 0)         AS smoking_stopped_year,
    COALESCE(t.UPDATED, t.CREATED)   AS smoking_recorded,
    c.ALCOHOLSTATUS                  AS alcohol_status,
    a.DAYSPERWEEK                    AS drinking_days_per_week,
    a.DRINKSPERDAY                   AS drinks_per_day,
    a.ALCOHOLCODE                    AS non_drinker,
    COALESCE(a.UPDATED, a.CREATED)   AS alcohol_recorded,
    c.KNOWNALLERGIES                 AS known_allergies,
    c.ACCOMODATION                   AS accommodation,
    c.LIVESWITH                      AS lives_with,
    c.HASCARER                       AS has_carer,
    d.CHANGED                        AS changed
FROM dated AS d
JOIN CLINICAL AS c ON c.INTERNALID = d.INTERNALID
JOIN PATIENTS AS p ON p.INTERNALID = d.INTERNALID
LEFT JOIN TOBACCO AS t ON t.RECORDID = d.TOBACCOID
LEFT JOIN ALCOHOL AS a ON a.RECORDID = d.ALCOHOLID
WHERE d.CHANGED >= @window_start
  AND d.CHANGED < @window_end
  AND p.DATASHARINGOPTOUT = 0 AND p.DENYACCESS = 0
ORDER BY c.INTERNALID
