-- Which pseudonym keys objects were written with, by their ids. The last row is the key in use.
CREATE TABLE pseudonym_key (
    number INTEGER NOT NULL PRIMARY KEY,
    id     TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT;
