-- Rows that the practice kept back when the object was made; null where the query does not count them.
ALTER TABLE extraction ADD COLUMN proof_withheld INTEGER;
