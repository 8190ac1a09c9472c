-- The newest rows of a site lie beside each other in the index of the identity, where those of each site and query did:
-- planning a night touches a page or two for each site and not one for each extraction. SQLite cannot alter the index of a
-- UNIQUE constraint, so the table is made anew, as https://sqlite.org/lang_altertable.html says (read 2026-11-28). Foreign
-- keys are switched off meanwhile, and checked before the transaction ends.

-- Gone first, so that their names and pages are free.
DROP INDEX extraction_pending;
DROP INDEX extraction_running;
DROP INDEX extraction_by_state;
DROP INDEX extraction_leaving;
DROP INDEX extraction_by_publication;
DROP INDEX extraction_of_backfill;
DROP INDEX extraction_waiting;
DROP INDEX extraction_merged;
DROP INDEX extraction_by_site_and_publication;
DROP INDEX extraction_unit_due;
DROP INDEX extraction_unit_by_site;

CREATE TABLE extraction_anew (
    id           INTEGER NOT NULL PRIMARY KEY,
    site         TEXT    NOT NULL REFERENCES site (key),
    query        TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    window_start TEXT    NOT NULL,
    window_end   TEXT    NOT NULL CHECK (window_start < window_end),
    state        TEXT    NOT NULL,
    detail       TEXT,                         -- waiting, step or failure class
    due          TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    -- The backfill whose state says whether the extraction may be claimed; null once somebody else asks for it.
    backfill     INTEGER REFERENCES backfill (id),
    not_before   INTEGER NOT NULL,
    planned_at   INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    -- The lease: set while running and never else. The fence outlives it and only grows.
    worker       TEXT,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    -- How often the service no longer held the result since the extraction was asked for: it is posted anew once.
    results_lost INTEGER NOT NULL DEFAULT 0,
    -- Number of the last attempt that was compacted away: numbering goes on after it, and counts include it.
    attempts_before INTEGER NOT NULL DEFAULT 0,
    -- The object that stands. It is kept when the extraction is asked for again, until a new one replaces it.
    object_path     TEXT,
    object_bytes    INTEGER,
    object_rows     INTEGER,
    object_sha256   TEXT,
    object_etag     TEXT,                      -- what the store called its last write
    object_attempt  INTEGER,                   -- which attempt published it; that may be compacted away
    object_variant  TEXT,                      -- null for the query's own statement
    proof_declared  INTEGER,
    proof_pages     INTEGER,
    proof_batches   INTEGER,
    proof_footer    INTEGER,
    proof_withheld  INTEGER,                   -- rows that the practice kept back; null where the query does not count them
    extracted_at    INTEGER,
    -- What became of an object that no longer stands. It is marked as gone first and removed then: what is marked and not
    -- removed is what a crash left to do.
    object_gone       TEXT,
    object_removed_at INTEGER,
    merge             INTEGER REFERENCES merge (id),   -- that the object's rows went into
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (state <> 'succeeded' OR object_path IS NOT NULL),
    CHECK (object_path IS NULL OR (proof_declared = proof_pages AND proof_pages = proof_batches
                                   AND proof_batches = proof_footer AND proof_footer = object_rows))
) STRICT;

-- These hold few rows, and are filled along with the table; a look through millions of rows for each took longer.
-- A claim looks at what is due and at what is leased, never at the long tail that is done.
CREATE INDEX extraction_pending ON extraction_anew (lane, priority DESC, not_before, id) WHERE state = 'pending';
CREATE INDEX extraction_running ON extraction_anew (site, lease_until) WHERE state = 'running';
-- A claim for a backfill asks whether a night is due at the site.
CREATE INDEX extraction_waiting ON extraction_anew (site, lane, not_before) WHERE state = 'pending';
-- A claim looks into the backfills that run, and into the sites of these, however many units wait in others.
CREATE INDEX extraction_unit_due ON extraction_anew (backfill, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
CREATE INDEX extraction_unit_by_site ON extraction_anew (backfill, site, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
CREATE INDEX extraction_of_backfill ON extraction_anew (backfill, state) WHERE backfill IS NOT NULL;
-- A new object of a backfill settles what failed of its days.
CREATE INDEX extraction_failed ON extraction_anew (site, query, version) WHERE state = 'failed';
CREATE INDEX extraction_leaving ON extraction_anew (id) WHERE object_gone IS NOT NULL AND object_removed_at IS NULL;
CREATE INDEX extraction_merged ON extraction_anew (merge) WHERE merge IS NOT NULL;

INSERT INTO extraction_anew (id, site, query, version, window_start, window_end, state, detail, due, lane, priority,
        backfill, not_before, planned_at, changed_at, worker, lease_until, fence, results_lost, attempts_before,
        object_path, object_bytes, object_rows, object_sha256, object_etag, object_attempt, object_variant,
        proof_declared, proof_pages, proof_batches, proof_footer, proof_withheld, extracted_at, object_gone,
        object_removed_at, merge)
    SELECT id, site, query, version, window_start, window_end, state, detail, due, lane, priority,
        backfill, not_before, planned_at, changed_at, worker, lease_until, fence, results_lost, attempts_before,
        object_path, object_bytes, object_rows, object_sha256, object_etag, object_attempt, object_variant,
        proof_declared, proof_pages, proof_batches, proof_footer, proof_withheld, extracted_at, object_gone,
        object_removed_at, merge
    FROM extraction ORDER BY id;
DROP TABLE extraction;
ALTER TABLE extraction_anew RENAME TO extraction;

-- The identity. The last day comes before the query: see above.
CREATE UNIQUE INDEX extraction_identity ON extraction (site, window_end, window_start, query, version);
CREATE INDEX extraction_by_publication ON extraction (extracted_at) WHERE extracted_at IS NOT NULL;
-- Readers are told of one site after the other, so that telling of a large fleet takes no more memory than of a small one.
CREATE INDEX extraction_by_site_and_publication ON extraction (site, extracted_at) WHERE extracted_at IS NOT NULL;

-- How far the nights of a query have come at a site. Kept here so that planning a night reads one row for each,
-- whatever years of extractions lie behind it. Only planning writes `newest`, the row that it just added or found, and
-- rows of `extraction` never go: the check of that reference for each extraction of a night found nothing ever.
CREATE TABLE nightly_anew (
    site       TEXT    NOT NULL REFERENCES site (key),
    query      TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    since      INTEGER NOT NULL,                -- when its first night was planned
    planned_to TEXT    NOT NULL,                -- first day that no night has planned
    covered_to TEXT    NOT NULL,                -- first day that is not covered without a gap since the first night
    newest     INTEGER NOT NULL,                -- row of `extraction`
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;
INSERT INTO nightly_anew SELECT site, query, version, since, planned_to, covered_to, newest FROM nightly;
DROP TABLE nightly;
ALTER TABLE nightly_anew RENAME TO nightly;
