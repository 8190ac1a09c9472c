-- The first day, in its own calendar, on which a paused site is extracted from again.
ALTER TABLE site ADD COLUMN paused_until TEXT;

-- What a practice's database called itself when it was asked under this GUID; null where it does not tell.
CREATE TABLE site_confirmation (
    site          TEXT    NOT NULL PRIMARY KEY REFERENCES site (key),
    halo_guid     TEXT    NOT NULL,
    practice_name TEXT,
    since         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A group that is activated in two steps: some sites first, the others once those had a complete night.
CREATE TABLE rollout (
    group_name TEXT    NOT NULL PRIMARY KEY,
    canaries   TEXT    NOT NULL,               -- JSON array of site keys
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
