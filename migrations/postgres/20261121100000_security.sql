-- Where a session is and when it was last seen, the second factor of people with a password, and what stands in for it.
-- Only additions with defaults. The same stands in ../sqlite.

ALTER TABLE sessions ADD COLUMN agent TEXT;                             -- the User-Agent of the browser that signed in
ALTER TABLE sessions ADD COLUMN ip TEXT;                                -- the address it signed in from
ALTER TABLE sessions ADD COLUMN seen_at BIGINT;                         -- null: not since it began
ALTER TABLE sessions ADD COLUMN pending BOOLEAN NOT NULL DEFAULT FALSE; -- the password was right; the second factor is still asked for

CREATE TABLE second_factors (
    user_id    UUID   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed     BYTEA  NOT NULL,                     -- the TOTP secret (RFC 6238), sealed under the key file for the user's id
    last_step  BIGINT NOT NULL,                     -- of the last code that was taken: neither it nor one before it counts again
    created_at BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id    UUID   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest     BYTEA  NOT NULL,                     -- SHA-256 of the user's id and the code; the code itself is nowhere
    used_at    BIGINT,
    PRIMARY KEY (user_id, digest)
);
