-- How often a window of this site and query took too long since a longer one last succeeded: once may be chance.
ALTER TABLE workable ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
