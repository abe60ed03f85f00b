-- A description of a key, and the same text without case and accents for search. It has up to 500 characters, so no index holds it.
-- Only additions: the previous release does not write these columns, so the folded text never differs from the description. The same
-- statements are in both folders.

ALTER TABLE keys ADD COLUMN description TEXT;
ALTER TABLE keys ADD COLUMN description_folded TEXT;
