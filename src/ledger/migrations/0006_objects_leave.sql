-- What the store called the object's last write, and what became of an object that no longer stands. It is marked
-- as gone first and removed then: what is marked and not removed is what a crash left to do.
ALTER TABLE extraction ADD COLUMN object_etag TEXT;
ALTER TABLE extraction ADD COLUMN object_gone TEXT;
ALTER TABLE extraction ADD COLUMN object_removed_at INTEGER;
CREATE INDEX extraction_leaving ON extraction (id) WHERE object_gone IS NOT NULL AND object_removed_at IS NULL;
CREATE INDEX extraction_by_publication ON extraction (extracted_at) WHERE extracted_at IS NOT NULL;

-- Sites whose data was removed, or is being removed while done_at is null, with the paths that were found.
CREATE TABLE forgetting (
    id         INTEGER NOT NULL PRIMARY KEY,
    site       TEXT    NOT NULL REFERENCES site (key),
    actor      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    began_at   INTEGER NOT NULL,
    done_at    INTEGER
) STRICT;
CREATE UNIQUE INDEX forgetting_at_work ON forgetting (site) WHERE done_at IS NULL;
CREATE TABLE forgotten_object (
    forgetting INTEGER NOT NULL REFERENCES forgetting (id),
    path       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    rows       INTEGER,                        -- null where the file could not say
    sha256     TEXT    NOT NULL,
    PRIMARY KEY (forgetting, path)
) STRICT, WITHOUT ROWID;
