-- A claim looks into the backfills that run, and into the sites of these, however many units wait in others.
CREATE INDEX extraction_unit_due ON extraction (backfill, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
CREATE INDEX extraction_unit_by_site ON extraction (backfill, site, not_before, id)
    WHERE state = 'pending' AND lane = 'backfill';
