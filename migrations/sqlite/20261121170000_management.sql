-- Management by program: the built-in scopes for it, which owners alone grant, and what a program asked when it made a key, so that
-- the same idempotency key makes no second one. Only additions: every key that is there was made by a person. The same stands in
-- both folders.

-- Behind all others: what administrators add stands before them.
INSERT INTO scopes (name, description, in_default, position, granted_by) VALUES
    ('keyward:keys.read', 'See this project and its keys, by program', 1, 1000001, 'owner'),
    ('keyward:keys.write', 'Make, edit and stop this project''s keys, by program', 1, 1000002, 'owner');

ALTER TABLE keys ADD COLUMN request_digest BLOB;      -- SHA-256 of what a program asked, beside form_number, the digest of its idempotency key
