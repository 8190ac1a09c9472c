-- Objects of one query at one site that became one. Noted before the new object is visible, done once readers were told
-- of it: what is between is ended by the next call, or given up where the new object never appeared.
CREATE TABLE merge (
    id           INTEGER NOT NULL PRIMARY KEY,
    site         TEXT    NOT NULL REFERENCES site (key),
    query        TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    window_start TEXT    NOT NULL,
    window_end   TEXT    NOT NULL CHECK (window_start < window_end),
    attempt      INTEGER NOT NULL CHECK (attempt > 0),
    path         TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,
    withheld     INTEGER,
    variant      TEXT,
    began_at     INTEGER NOT NULL,
    done_at      INTEGER
) STRICT;
CREATE INDEX merge_under_way ON merge (id) WHERE done_at IS NULL;
CREATE INDEX merge_by_end ON merge (done_at) WHERE done_at IS NOT NULL;

-- The merge that the object's rows went into.
ALTER TABLE extraction ADD COLUMN merge INTEGER REFERENCES merge (id);
CREATE INDEX extraction_merged ON extraction (merge) WHERE merge IS NOT NULL;
