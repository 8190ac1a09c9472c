-- The ten PIP QI measures of regular clients, per site, from the Parquet output alone. For DuckDB 1.1 or later.
--
--   SET VARIABLE lake  = 'data/lake/simulator';    -- the folder of one environment
--   SET VARIABLE as_of = DATE '2026-11-18';        -- counts what was on record when this day began
--   .read queries/measures/pip-qi.duckdb.sql
--
-- One row per site, measure and category: numerator of denominator. Category `recorded` is the measure itself, the
-- others split it by value. Extract facts, not measures: definitions change, and this file changes with them while
-- the extracts stay as they are.
--
-- Known differences from the national specification, each marked (?) below where it applies:
--   * Age is the age reached in the calendar year, because only the year of birth leaves a practice.
--   * Visits, conditions and results that are marked confidential stay at the practice and are not counted.
--   * Windows of measures 7, 8 and 9 are read from secondary sources.

-- Newest version of each row; a row arrives again whenever it changes, and in overlapping windows.
CREATE OR REPLACE TEMP MACRO rows_of(query) AS TABLE
    SELECT * FROM read_parquet(getvariable('lake') || '/data/' || query || '/v1/**/*.parquet',
                               union_by_name = true, hive_partitioning = false)
    WHERE _window_start <= getvariable('as_of');

CREATE OR REPLACE TEMP VIEW roster AS
    SELECT _site, patient_id FROM rows_of('patient_roster')
    QUALIFY _window_start = max(_window_start) OVER (PARTITION BY _site);

CREATE OR REPLACE TEMP VIEW vaccine AS
    SELECT _site, vaccine_id, disease_code FROM rows_of('reference_vaccine')
    QUALIFY _window_start = max(_window_start) OVER (PARTITION BY _site);

CREATE OR REPLACE TEMP TABLE patient AS
    SELECT p._site, p.patient_id,
           nullif(p.birth_year, 1900)                                 AS birth_year,
           year(getvariable('as_of')) - nullif(p.birth_year, 1900)    AS age,        -- (?)
           p.sex
    FROM (SELECT * FROM rows_of('patient')
          QUALIFY row_number() OVER (PARTITION BY _site, patient_id ORDER BY changed DESC, _window_end DESC) = 1) p
    SEMI JOIN roster r ON r._site = p._site AND r.patient_id = p.patient_id
    WHERE p.record_status = 1 AND p.death_month IS NULL AND p.patient_status IS DISTINCT FROM 'Deceased';

CREATE OR REPLACE TEMP VIEW visit AS
    SELECT * FROM (SELECT * FROM rows_of('visit')
                   QUALIFY row_number() OVER (PARTITION BY _site, visit_id ORDER BY changed DESC, _window_end DESC) = 1)
    WHERE record_status = 1;

CREATE OR REPLACE TEMP VIEW service AS
    SELECT * FROM (SELECT * FROM rows_of('service')
                   QUALIFY row_number() OVER (PARTITION BY _site, service_id ORDER BY changed DESC, _window_end DESC) = 1)
    WHERE record_status = 1 AND service_status <> 9;

-- Newest version of each row that stands, for the queries whose key is record_id.
CREATE OR REPLACE TEMP MACRO standing(query) AS TABLE
    SELECT * FROM (SELECT * FROM rows_of(query)
                   QUALIFY row_number() OVER (PARTITION BY _site, record_id ORDER BY changed DESC, _window_end DESC) = 1)
    WHERE record_status = 1;

-- Regular client: three or more rebated visits in two years; visits of one day count separately.
CREATE OR REPLACE TEMP TABLE client AS
    SELECT p.*
    FROM patient p
    JOIN (SELECT s._site, s.patient_id
          FROM service s
          JOIN visit v ON v._site = s._site AND v.visit_id = s.visit_id
          WHERE s.mbs_item IS NOT NULL
            AND s.served::DATE >= getvariable('as_of') - INTERVAL 2 YEAR
            AND s.served::DATE <  getvariable('as_of')
          GROUP BY s._site, s.patient_id
          HAVING count(DISTINCT s.visit_id) >= 3) seen
      ON seen._site = p._site AND seen.patient_id = p.patient_id;

CREATE OR REPLACE TEMP TABLE condition AS
    SELECT _site, patient_id,
           bool_or(condition_code IN (3, 774, 775, 776, 778, 7840, 11998))  AS diabetes,
           bool_or(condition_code IN (598, 4740, 414, 702))                 AS copd,
           bool_or(condition_code IN (226, 227, 228, 2376, 2377, 2378, 2379, 2380, 2381, 2382, 3576, 3577, 3578, 3579,
                                      1534, 2556, 6847, 7847, 1480, 3083, 777, 1522, 677, 678, 679, 680, 681, 1347))
                                                                            AS heart_disease,
           bool_or(condition_code IN (4053, 4046, 4054, 8214, 4055))        AS hysterectomy
    FROM standing('condition')
    GROUP BY _site, patient_id;

-- Results and measurements are text: one with a digit was measured, one that is a plain number can be reckoned with.
CREATE OR REPLACE TEMP TABLE result AS
    SELECT _site, patient_id, result_code, reported::DATE AS day
    FROM standing('result_value')
    WHERE regexp_matches(value, '[0-9]') AND reported::DATE < getvariable('as_of');

CREATE OR REPLACE TEMP TABLE measurement AS
    SELECT _site, patient_id, observation_code, observed::DATE AS day, observed_seconds, record_id,
           value::DOUBLE AS number
    FROM standing('observation')
    WHERE regexp_full_match(value, '[0-9]+([.][0-9]+)?') AND observed::DATE < getvariable('as_of');

CREATE OR REPLACE TEMP TABLE habit AS
    SELECT _site, patient_id, smoking_status, smoking_recorded::DATE AS smoking_recorded,
           alcohol_status, alcohol_recorded::DATE AS alcohol_recorded
    FROM rows_of('social_history')
    QUALIFY row_number() OVER (PARTITION BY _site, patient_id ORDER BY changed DESC, _window_end DESC) = 1;

CREATE OR REPLACE TEMP TABLE influenza AS
    SELECT DISTINCT i._site, i.patient_id
    FROM standing('immunisation') i
    SEMI JOIN (SELECT * FROM vaccine WHERE disease_code IN (7, 30)) v
      ON v._site = i._site AND v.vaccine_id = i.vaccine_id
    WHERE i.given::DATE >= getvariable('as_of') - INTERVAL 15 MONTH AND i.given::DATE < getvariable('as_of');

CREATE OR REPLACE TEMP TABLE screened AS
    SELECT DISTINCT _site, patient_id
    FROM (SELECT * FROM rows_of('cervical_screening')
          QUALIFY row_number() OVER (PARTITION BY _site, source, record_id ORDER BY changed DESC, _window_end DESC) = 1)
    WHERE record_status = 1 AND source = 'test' AND tested::DATE < getvariable('as_of')
      AND tested::DATE >= getvariable('as_of')                                                    -- (?)
                          - CASE WHEN test_type = 'PAP' THEN INTERVAL 2 YEAR ELSE INTERVAL 5 YEAR END;

-- Newest weight of the last year, and newest height: of the last year up to 24, later any taken at 25 or older.
CREATE OR REPLACE TEMP TABLE body AS
    SELECT c._site, c.patient_id,
           arg_max(m.number, (m.day, m.observed_seconds, m.record_id)) FILTER (
               m.observation_code = 8 AND m.day >= getvariable('as_of') - INTERVAL 12 MONTH)  AS weight,
           arg_max(m.number, (m.day, m.observed_seconds, m.record_id)) FILTER (
               m.observation_code = 7 AND m.number > 0
               AND m.day >= CASE WHEN c.age < 25 THEN getvariable('as_of') - INTERVAL 12 MONTH
                                 ELSE make_date(c.birth_year + 25, 1, 1) END)                 AS height
    FROM client c
    JOIN measurement m ON m._site = c._site AND m.patient_id = c.patient_id
    GROUP BY c._site, c.patient_id;

CREATE OR REPLACE TEMP TABLE fact AS
    SELECT c._site, c.patient_id, c.age, c.sex,
           coalesce(d.diabetes, false)      AS diabetes,
           coalesce(d.copd, false)          AS copd,
           coalesce(d.heart_disease, false) AS heart_disease,
           coalesce(d.hysterectomy, false)  AS hysterectomy,
           f.patient_id IS NOT NULL         AS vaccinated,
           s.patient_id IS NOT NULL         AS screened,
           h.smoking_status,
           -- A status without a date counts as current.
           coalesce(h.smoking_status BETWEEN 1 AND 3
                    AND (h.smoking_recorded IS NULL
                         OR h.smoking_recorded >= CASE
                                WHEN c.age < 30 THEN getvariable('as_of') - INTERVAL 12 MONTH
                                ELSE make_date(c.birth_year + 30, 1, 1) END), false)          AS smoking_recorded,
           coalesce(h.smoking_status BETWEEN 1 AND 3, false)                                  AS smoking_known,
           coalesce(h.alcohol_status BETWEEN 1 AND 4
                    AND h.alcohol_recorded >= getvariable('as_of') - INTERVAL 12 MONTH, false) AS alcohol_recorded,   -- (?)
           b.weight * 10000 / (b.height * b.height)                                           AS bmi
    FROM client c
    LEFT JOIN condition d ON d._site = c._site AND d.patient_id = c.patient_id
    LEFT JOIN influenza f ON f._site = c._site AND f.patient_id = c.patient_id
    LEFT JOIN screened  s ON s._site = c._site AND s.patient_id = c.patient_id
    LEFT JOIN habit     h ON h._site = c._site AND h.patient_id = c.patient_id
    LEFT JOIN body      b ON b._site = c._site AND b.patient_id = c.patient_id;

CREATE OR REPLACE TEMP MACRO has_result(site, patient, codes, since) AS
    EXISTS (SELECT 1 FROM result r
            WHERE r._site = site AND r.patient_id = patient AND list_contains(codes, r.result_code) AND r.day >= since);
CREATE OR REPLACE TEMP MACRO has_measurement(site, patient, code, since) AS
    EXISTS (SELECT 1 FROM measurement m
            WHERE m._site = site AND m.patient_id = patient AND m.observation_code = code AND m.day >= since);

CREATE OR REPLACE TEMP TABLE pip_qi AS
    WITH counted AS (
        SELECT _site, 'QIM 1' AS measure, 'recorded' AS category,
               has_result(_site, patient_id, [1, 19], getvariable('as_of') - INTERVAL 12 MONTH) AS hit
        FROM fact WHERE diabetes
        UNION ALL
        SELECT _site, 'QIM 2', 'recorded', smoking_recorded FROM fact WHERE age >= 15
        UNION ALL
        SELECT _site, 'QIM 2', category, smoking_recorded AND smoking_status = code
        FROM fact, (VALUES ('never', 1), ('ex smoker', 2), ('smoker', 3)) class (category, code) WHERE age >= 15
        UNION ALL
        SELECT _site, 'QIM 3', 'recorded', bmi IS NOT NULL FROM fact WHERE age >= 15
        UNION ALL
        SELECT _site, 'QIM 3', category, coalesce(bmi >= low AND bmi < high, false)
        FROM fact, (VALUES ('underweight', 0, 18.5), ('healthy', 18.5, 25), ('overweight', 25, 30), ('obese', 30, 1e9))
                   class (category, low, high) WHERE age >= 15
        UNION ALL
        SELECT _site, 'QIM 4', 'recorded', vaccinated FROM fact WHERE age >= 65
        UNION ALL
        SELECT _site, 'QIM 5', 'recorded', vaccinated FROM fact WHERE diabetes
        UNION ALL
        SELECT _site, 'QIM 6', 'recorded', vaccinated FROM fact WHERE copd AND age >= 15
        UNION ALL
        SELECT _site, 'QIM 7', 'recorded', alcohol_recorded FROM fact WHERE age >= 15
        UNION ALL
        SELECT _site, 'QIM 8', 'recorded',
               smoking_known
               AND (diabetes OR has_result(_site, patient_id, [1, 19, 14], getvariable('as_of') - INTERVAL 2 YEAR))    -- (?)
               AND has_measurement(_site, patient_id, 3, getvariable('as_of') - INTERVAL 2 YEAR)                       -- (?)
               AND has_result(_site, patient_id, [2], getvariable('as_of') - INTERVAL 5 YEAR)                          -- (?)
               AND has_result(_site, patient_id, [3], getvariable('as_of') - INTERVAL 5 YEAR)
        FROM fact WHERE age BETWEEN 45 AND 74 AND NOT heart_disease
        UNION ALL
        SELECT _site, 'QIM 9', 'recorded', screened
        FROM fact WHERE sex = 'Female' AND age BETWEEN 25 AND 74 AND NOT hysterectomy
        UNION ALL
        SELECT _site, 'QIM 10', 'recorded',
               has_measurement(_site, patient_id, 3, getvariable('as_of') - INTERVAL 6 MONTH)
               AND has_measurement(_site, patient_id, 4, getvariable('as_of') - INTERVAL 6 MONTH)
        FROM fact WHERE diabetes
    )
    SELECT _site AS site, measure, category, count(*) FILTER (hit) AS numerator, count(*) AS denominator
    FROM counted
    GROUP BY ALL;

SELECT * FROM pip_qi ORDER BY site, length(measure), measure, category;
