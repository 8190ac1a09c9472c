-- Which attempt published the object that stands: old attempts are compacted away, and the object's footer still tells.
ALTER TABLE extraction ADD COLUMN object_attempt INTEGER;
UPDATE extraction SET object_attempt = coalesce(
    (SELECT max(a.number) FROM attempt AS a WHERE a.extraction = extraction.id AND a.outcome = 'succeeded'),
    attempts_before)
WHERE object_path IS NOT NULL;
