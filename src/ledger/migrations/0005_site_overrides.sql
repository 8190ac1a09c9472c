-- What one site has otherwise than the configuration says: a JSON object, {} where nothing.
ALTER TABLE site ADD COLUMN overrides TEXT NOT NULL DEFAULT '{}';
