-- No program has written to the table before. Without a GUID it means that the database is to be asked anew.
DROP TABLE site_confirmation;
CREATE TABLE site_confirmation (
    site          TEXT    NOT NULL PRIMARY KEY REFERENCES site (key),
    halo_guid     TEXT,                        -- under which it was asked
    practice_name TEXT,                        -- null where it does not tell
    since         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
