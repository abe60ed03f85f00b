-- What administrators see of people: when somebody last signed in, and the keys that they made. Only additions. The same stands in
-- ../postgres.

ALTER TABLE users ADD COLUMN last_sign_in_at INTEGER;
CREATE INDEX keys_by_maker ON keys (created_by);
