-- Which statement an attempt posted: the name of a variant, or null for the query's own.
ALTER TABLE attempt ADD COLUMN variant TEXT;
-- The same of the object that stands; it outlives the attempt.
ALTER TABLE extraction ADD COLUMN object_variant TEXT;

-- Sites that refuse a query's own statement, and the variant that they are asked instead. A site without a row is
-- asked the query's own.
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
