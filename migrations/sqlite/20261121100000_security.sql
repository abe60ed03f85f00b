-- Where a session is and when it was last seen, the second factor of people with a password, and what stands in for it.
-- Only additions with defaults. The same stands in ../postgres.

ALTER TABLE sessions ADD COLUMN agent TEXT;                         -- the User-Agent of the browser that signed in
ALTER TABLE sessions ADD COLUMN ip TEXT;                            -- the address it signed in from
ALTER TABLE sessions ADD COLUMN seen_at INTEGER;                    -- null: not since it began
ALTER TABLE sessions ADD COLUMN pending INTEGER NOT NULL DEFAULT 0; -- the password was right; the second factor is still asked for

CREATE TABLE second_factors (
    user_id    BLOB    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed     BLOB    NOT NULL,                    -- the TOTP secret (RFC 6238), sealed under the key file for the user's id
    last_step  INTEGER NOT NULL,                    -- of the last code that was taken: neither it nor one before it counts again
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest     BLOB    NOT NULL,                    -- SHA-256 of the user's id and the code; the code itself is nowhere
    used_at    INTEGER,
    PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;
