-- Instants are whole milliseconds since 1970-01-01T00:00:00Z; civil dates are text, 2026-11-18.

CREATE TABLE property (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
    key           TEXT NOT NULL PRIMARY KEY,
    pms_type      TEXT NOT NULL,
    pms_id        TEXT NOT NULL,
    halo_guid     TEXT,
    practice_name TEXT,
    link_version  TEXT,
    pms_version   TEXT,
    catalogues    TEXT NOT NULL,               -- JSON array, the default one first
    time_zone     TEXT NOT NULL,
    groups        TEXT NOT NULL,               -- JSON array
    state         TEXT NOT NULL,
    UNIQUE (pms_type, pms_id)
) STRICT, WITHOUT ROWID;

-- Which GUID and name a site had, and from when: the trail of server moves and mergers.
CREATE TABLE site_identity (
    site          TEXT    NOT NULL REFERENCES site (key),
    since         INTEGER NOT NULL,
    halo_guid     TEXT,
    practice_name TEXT
) STRICT;
CREATE INDEX site_identity_by_site ON site_identity (site, since);

-- The text of a version may not change once it has run.
CREATE TABLE query_version (
    query       TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    fingerprint TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    PRIMARY KEY (query, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE extraction (
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
    not_before   INTEGER NOT NULL,
    planned_at   INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    -- The lease: set while running and never else. The fence outlives it and only grows.
    worker       TEXT,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    -- The object that stands. It is kept when the extraction is asked for again, until a new one replaces it.
    object_path     TEXT,
    object_bytes    INTEGER,
    object_rows     INTEGER,
    object_sha256   TEXT,
    proof_declared  INTEGER,
    proof_pages     INTEGER,
    proof_batches   INTEGER,
    proof_footer    INTEGER,
    extracted_at    INTEGER,
    UNIQUE (site, query, version, window_start, window_end),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (state <> 'succeeded' OR object_path IS NOT NULL),
    CHECK (object_path IS NULL OR (proof_declared = proof_pages AND proof_pages = proof_batches
                                   AND proof_batches = proof_footer AND proof_footer = object_rows))
) STRICT;
-- A claim looks at what is due and at what is leased, never at the long tail that is done.
CREATE INDEX extraction_pending ON extraction (lane, priority DESC, not_before, id) WHERE state = 'pending';
CREATE INDEX extraction_running ON extraction (site, lease_until) WHERE state = 'running';
CREATE INDEX extraction_by_state ON extraction (state);

-- The newest day that each site's objects of a query reach: what `status` and the planner ask for every
-- site at once, kept here so that neither has to walk years of extractions.
CREATE TABLE reach (
    site         TEXT    NOT NULL REFERENCES site (key),
    query        TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    covered_to   TEXT    NOT NULL,
    extracted_at INTEGER NOT NULL,
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    extraction    INTEGER NOT NULL REFERENCES extraction (id),
    number        INTEGER NOT NULL CHECK (number > 0),
    worker        TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    resumed       INTEGER NOT NULL DEFAULT 0,
    halo_guid     TEXT,
    submitted_at  INTEGER,
    remote_id     TEXT,
    remote_at     INTEGER,
    ended_at      INTEGER,
    outcome       TEXT,                        -- null while it is open
    failure_class TEXT,
    message       TEXT,
    pages         INTEGER,
    bytes         INTEGER,
    remote_ms     INTEGER,
    duration_ms   INTEGER,
    PRIMARY KEY (extraction, number),
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (remote_id IS NULL OR submitted_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Append-only: each row's hash covers its entry and the hash of the row before.
CREATE TABLE audit (
    seq      INTEGER NOT NULL PRIMARY KEY,
    entry    TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
