-- How far the nights of a query have come at a site. Kept here so that planning a night reads one row for each,
-- whatever years of extractions lie behind it.
CREATE TABLE nightly (
    site       TEXT    NOT NULL REFERENCES site (key),
    query      TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    since      INTEGER NOT NULL,                -- when its first night was planned
    planned_to TEXT    NOT NULL,                -- first day that no night has planned
    covered_to TEXT    NOT NULL,                -- first day that is not covered without a gap since the first night
    newest     INTEGER NOT NULL REFERENCES extraction (id),
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;

-- Causes of lateness that somebody was told of and that are not over.
CREATE TABLE alert (
    cause TEXT    NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    sites INTEGER NOT NULL                     -- as many as were told
) STRICT, WITHOUT ROWID;

-- A claim for a backfill asks whether a night is due at the site.
CREATE INDEX extraction_waiting ON extraction (site, lane, not_before) WHERE state = 'pending';
