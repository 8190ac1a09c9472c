-- Readers are told of one site after the other, so that telling of a large fleet takes no more memory than of a small one.
CREATE INDEX extraction_by_site_and_publication ON extraction (site, extracted_at) WHERE extracted_at IS NOT NULL;
