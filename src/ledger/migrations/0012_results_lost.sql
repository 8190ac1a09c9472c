-- How often the service no longer held the result since the extraction was asked for: it is posted anew once.
ALTER TABLE extraction ADD COLUMN results_lost INTEGER NOT NULL DEFAULT 0;
