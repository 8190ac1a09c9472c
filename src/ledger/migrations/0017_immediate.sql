-- Immediate queries that a site was asked beside its attempts: counts of withheld rows, probes, previews. They cost
-- what any query costs, so its budget of the month counts them.
CREATE TABLE immediate_month (
    site  TEXT    NOT NULL REFERENCES site (key),
    month TEXT    NOT NULL,                     -- YYYY-MM, UTC
    asked INTEGER NOT NULL CHECK (asked > 0),
    PRIMARY KEY (site, month)
) STRICT, WITHOUT ROWID;
