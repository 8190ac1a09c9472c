-- What last stood in the way of an extraction, in the words that people are told; gone once it succeeds.
CREATE TABLE setback (
    extraction INTEGER NOT NULL PRIMARY KEY REFERENCES extraction (id),
    at         INTEGER NOT NULL,
    class      TEXT    NOT NULL,
    who        TEXT    NOT NULL,
    what       TEXT    NOT NULL,
    why        TEXT,
    next       TEXT
) STRICT;
