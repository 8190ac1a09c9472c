-- A backfill is saved when it is planned; it runs exactly these units, or those they were cut into.
CREATE TABLE backfill (
    id          INTEGER NOT NULL PRIMARY KEY,
    digest      TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    reason      TEXT,                          -- why it stopped
    asked       TEXT    NOT NULL,              -- JSON, from which the plan is made again
    estimate    TEXT    NOT NULL,              -- JSON
    most_failed TEXT    NOT NULL,              -- 5 or 10%
    forgiven    INTEGER NOT NULL DEFAULT 0,    -- units that had failed when it was resumed after a stop
    priority    INTEGER NOT NULL,
    planned_at  INTEGER NOT NULL,
    started_at  INTEGER,
    changed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX backfill_by_digest ON backfill (digest);

CREATE TABLE backfill_unit (
    backfill     INTEGER NOT NULL REFERENCES backfill (id),
    position     INTEGER NOT NULL CHECK (position > 0),
    site         TEXT    NOT NULL REFERENCES site (key),
    query        TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    window_start TEXT    NOT NULL,
    window_end   TEXT    NOT NULL CHECK (window_start < window_end),
    due          TEXT    NOT NULL,
    cut_from     INTEGER,                      -- position of the unit that this is a part of
    is_cut       INTEGER NOT NULL DEFAULT 0,   -- its parts are extracted instead
    extraction   INTEGER REFERENCES extraction (id),   -- null until it is started
    PRIMARY KEY (backfill, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX backfill_unit_by_extraction ON backfill_unit (extraction) WHERE extraction IS NOT NULL;

-- The backfill whose state says whether the extraction may be claimed; null once somebody else asks for it.
ALTER TABLE extraction ADD COLUMN backfill INTEGER REFERENCES backfill (id);
CREATE INDEX extraction_of_backfill ON extraction (backfill, state) WHERE backfill IS NOT NULL;

-- How long a window a site managed in the time that its agent allows, where a longer one was tried.
CREATE TABLE workable (
    site    TEXT    NOT NULL REFERENCES site (key),
    query   TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    days    INTEGER NOT NULL CHECK (days > 0),
    since   INTEGER NOT NULL,
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;
