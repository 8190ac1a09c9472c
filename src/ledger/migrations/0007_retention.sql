-- Number of the last attempt that was compacted away: numbering goes on after it, and counts include it.
ALTER TABLE extraction ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;

-- What is left of attempts that were compacted: a month's sums for each site and query version.
CREATE TABLE attempt_month (
    site        TEXT    NOT NULL REFERENCES site (key),
    query       TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    month       TEXT    NOT NULL,              -- 2026-11, UTC, of the attempts' end
    attempts    INTEGER NOT NULL,
    posted      INTEGER NOT NULL,              -- whose query was posted
    -- Of the successful ones alone:
    succeeded   INTEGER NOT NULL,
    days        INTEGER NOT NULL,              -- sum of the days of their windows
    rows        INTEGER NOT NULL,
    pages       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    remote_ms   INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (site, query, version, month)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_by_end ON attempt (ended_at) WHERE ended_at IS NOT NULL;
