-- A ledger of schema 20 as an earlier program left it; made by `.dump`. Never edited.
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 0x48784c67;
PRAGMA user_version = 20;
BEGIN TRANSACTION;
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
    duration_ms   INTEGER, variant TEXT,
    PRIMARY KEY (extraction, number),
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (remote_id IS NULL OR submitted_at IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO attempt VALUES(1,1,'w',1763423990000,0,'5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10',1763423991000,'7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f01',1763423991000,1763424000000,'succeeded',NULL,NULL,1,900,1500,9000,NULL);
INSERT INTO attempt VALUES(2,1,'w',1763423990000,0,'5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10',1763423991000,'7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f11',1763423991000,1763424000000,'failed','sql','the practice''s database refused the statement',NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(2,2,'w',1763423990000,0,'5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10',1763423991000,'7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f12',1763423991000,1763424000000,'failed','sql','the practice''s database refused the statement',NULL,NULL,NULL,NULL,NULL);
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
CREATE TABLE audit (
    seq      INTEGER NOT NULL PRIMARY KEY,
    entry    TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;
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
CREATE TABLE contract_break (
    extraction  INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    column_name TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (extraction, attempt, column_name, reason),
    FOREIGN KEY (extraction, attempt) REFERENCES attempt (extraction, number)
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
    extracted_at    INTEGER, proof_withheld INTEGER, object_etag TEXT, object_gone TEXT, object_removed_at INTEGER, attempts_before INTEGER NOT NULL DEFAULT 0, object_variant TEXT, backfill INTEGER REFERENCES backfill (id), results_lost INTEGER NOT NULL DEFAULT 0, object_attempt INTEGER, merge INTEGER REFERENCES merge (id),
    UNIQUE (site, query, version, window_start, window_end),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (state <> 'succeeded' OR object_path IS NOT NULL),
    CHECK (object_path IS NULL OR (proof_declared = proof_pages AND proof_pages = proof_batches
                                   AND proof_batches = proof_footer AND proof_footer = object_rows))
) STRICT;
INSERT INTO extraction VALUES(1,'s1','visit',1,'2026-11-17','2026-11-18','succeeded',NULL,'scheduled','nightly',0,0,0,1763424000000,NULL,NULL,1,'p1',4096,7,'0707070707070707070707070707070707070707070707070707070707070707',7,7,7,7,1763424000000,NULL,NULL,NULL,NULL,0,NULL,NULL,0,1,NULL);
INSERT INTO extraction VALUES(2,'s1','visit',1,'2026-11-18','2026-11-19','failed','sql','scheduled','nightly',0,0,0,1763424000000,NULL,NULL,2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,NULL);
INSERT INTO extraction VALUES(3,'s1','visit',1,'2026-11-19','2026-11-20','pending','worker','requested','manual',0,0,0,1763424000000,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,NULL);
CREATE TABLE forgetting (
    id         INTEGER NOT NULL PRIMARY KEY,
    site       TEXT    NOT NULL REFERENCES site (key),
    actor      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    began_at   INTEGER NOT NULL,
    done_at    INTEGER
) STRICT;
CREATE TABLE forgotten_object (
    forgetting INTEGER NOT NULL REFERENCES forgetting (id),
    path       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    rows       INTEGER,                        -- null where the file could not say
    sha256     TEXT    NOT NULL,
    PRIMARY KEY (forgetting, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE property (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO property VALUES('environment','simulator');
CREATE TABLE pseudonym_key (
    number INTEGER NOT NULL PRIMARY KEY,
    id     TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT;
CREATE TABLE query_version (
    query       TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    fingerprint TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    PRIMARY KEY (query, version)
) STRICT, WITHOUT ROWID;
INSERT INTO query_version VALUES('visit',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',1763424000000);
CREATE TABLE reach (
    site         TEXT    NOT NULL REFERENCES site (key),
    query        TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    covered_to   TEXT    NOT NULL,
    extracted_at INTEGER NOT NULL,
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;
INSERT INTO reach VALUES('s1','visit',1,'2026-11-18',1763424000000);
CREATE TABLE rollout (
    group_name TEXT    NOT NULL PRIMARY KEY,
    canaries   TEXT    NOT NULL,               -- JSON array of site keys
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE setback (
    extraction INTEGER NOT NULL PRIMARY KEY REFERENCES extraction (id),
    at         INTEGER NOT NULL,
    class      TEXT    NOT NULL,
    who        TEXT    NOT NULL,
    what       TEXT    NOT NULL,
    why        TEXT,
    next       TEXT
) STRICT;
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
    state         TEXT NOT NULL, overrides TEXT NOT NULL DEFAULT '{}', paused_until TEXT,
    UNIQUE (pms_type, pms_id)
) STRICT, WITHOUT ROWID;
INSERT INTO site VALUES('s1','best-practice','1','5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10','Example Street Clinic',NULL,NULL,'["BPSPatients"]','Australia/Brisbane','["north"]','active','{}',NULL);
CREATE TABLE site_confirmation (
    site          TEXT    NOT NULL PRIMARY KEY REFERENCES site (key),
    halo_guid     TEXT,                        -- under which it was asked
    practice_name TEXT,                        -- null where it does not tell
    since         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE site_identity (
    site          TEXT    NOT NULL REFERENCES site (key),
    since         INTEGER NOT NULL,
    halo_guid     TEXT,
    practice_name TEXT
) STRICT;
INSERT INTO site_identity VALUES('s1',1763424000000,'5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10','Example Street Clinic');
CREATE TABLE variant_choice (
    site    TEXT    NOT NULL REFERENCES site (key),
    query   TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    variant TEXT    NOT NULL,
    reason  TEXT    NOT NULL,                  -- the refusal, for people: error number and object, no value
    since   INTEGER NOT NULL,
    looked  INTEGER NOT NULL,                  -- when the query's own statement was last refused
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE workable (
    site    TEXT    NOT NULL REFERENCES site (key),
    query   TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    days    INTEGER NOT NULL CHECK (days > 0),
    since   INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (site, query, version)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE alert (
    cause TEXT    NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    sites INTEGER NOT NULL                     -- as many as were told
) STRICT, WITHOUT ROWID;
CREATE TABLE immediate_month (
    site  TEXT    NOT NULL REFERENCES site (key),
    month TEXT    NOT NULL,                     -- YYYY-MM, UTC
    asked INTEGER NOT NULL CHECK (asked > 0),
    PRIMARY KEY (site, month)
) STRICT, WITHOUT ROWID;
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
CREATE INDEX site_identity_by_site ON site_identity (site, since);
CREATE INDEX extraction_pending ON extraction (lane, priority DESC, not_before, id) WHERE state = 'pending';
CREATE INDEX extraction_running ON extraction (site, lease_until) WHERE state = 'running';
CREATE INDEX extraction_by_state ON extraction (state);
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE INDEX extraction_leaving ON extraction (id) WHERE object_gone IS NOT NULL AND object_removed_at IS NULL;
CREATE INDEX extraction_by_publication ON extraction (extracted_at) WHERE extracted_at IS NOT NULL;
CREATE UNIQUE INDEX forgetting_at_work ON forgetting (site) WHERE done_at IS NULL;
CREATE INDEX attempt_by_end ON attempt (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX backfill_by_digest ON backfill (digest);
CREATE INDEX backfill_unit_by_extraction ON backfill_unit (extraction) WHERE extraction IS NOT NULL;
CREATE INDEX extraction_of_backfill ON extraction (backfill, state) WHERE backfill IS NOT NULL;
CREATE INDEX extraction_waiting ON extraction (site, lane, not_before) WHERE state = 'pending';
CREATE INDEX merge_under_way ON merge (id) WHERE done_at IS NULL;
CREATE INDEX merge_by_end ON merge (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX extraction_merged ON extraction (merge) WHERE merge IS NOT NULL;
CREATE INDEX extraction_by_site_and_publication ON extraction (site, extracted_at) WHERE extracted_at IS NOT NULL;
CREATE INDEX extraction_unit_due ON extraction (backfill, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
CREATE INDEX extraction_unit_by_site ON extraction (backfill, site, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
COMMIT;
