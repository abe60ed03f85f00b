-- Consent: programs that a project knows, what people allowed them (and programs that nobody registered), and the codes by which a
-- program comes to its token. Only additions: the release before does not know these tables. The same stands in ../postgres.

CREATE TABLE oauth_clients (
    id              BLOB    NOT NULL PRIMARY KEY,
    project_id      BLOB    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name            TEXT    NOT NULL,
    redirects       TEXT    NOT NULL,                   -- JSON array of addresses, as they were registered
    created_by      BLOB,
    created_by_name TEXT    NOT NULL,                   -- at that time
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER
) STRICT;
CREATE INDEX oauth_clients_by_project ON oauth_clients (project_id);

-- A person's yes. To verify it is like a key: its id is never a key's, and its digest is that of no secret.
CREATE TABLE grants (
    id           BLOB    NOT NULL PRIMARY KEY,          -- version 7
    digest       BLOB    NOT NULL UNIQUE,               -- 32 random bytes: stands where a key has the digest of its secret
    user_id      BLOB    NOT NULL,                      -- no reference: what was allowed is ended, not forgotten, with the person
    user_name    TEXT    NOT NULL,                      -- at that time
    client_id    BLOB    REFERENCES oauth_clients (id) ON DELETE CASCADE,   -- null: a program on the person's computer that nobody registered
    client_name  TEXT    NOT NULL,                      -- at that time
    project_id   BLOB    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    scopes       TEXT    NOT NULL,                      -- JSON array; empty means none
    until        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    ended_at     INTEGER
) STRICT;
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_project ON grants (project_id);
CREATE INDEX grants_by_client ON grants (client_id);

-- RFC 6749 section 4.1. A used code stays as long as its grant, so that whoever presents it again is noticed.
CREATE TABLE authorization_codes (
    digest       BLOB    NOT NULL PRIMARY KEY,          -- SHA-256 of the code; the code itself is nowhere
    grant_id     BLOB    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    client_said  TEXT    NOT NULL,                      -- the client_id of the request
    redirect_uri TEXT    NOT NULL,                      -- as the request had it
    challenge    TEXT    NOT NULL,                      -- RFC 7636, S256
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX authorization_codes_by_grant ON authorization_codes (grant_id);
CREATE INDEX authorization_codes_unused ON authorization_codes (expires_at) WHERE used_at IS NULL;

-- RFC 8628.
CREATE TABLE device_codes (
    digest      BLOB    NOT NULL PRIMARY KEY,           -- SHA-256 of the device code
    user_digest BLOB    NOT NULL UNIQUE,                -- SHA-256 of the user code, its eight letters
    client_id   BLOB    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scopes      TEXT    NOT NULL,                       -- JSON array: what it asks for
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'allowed', 'denied', 'redeemed')),
    grant_id    BLOB    REFERENCES grants (id) ON DELETE CASCADE,
    wait        INTEGER NOT NULL,                       -- seconds between two questions of the device
    polled_at   INTEGER,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX device_codes_by_client ON device_codes (client_id);
CREATE INDEX device_codes_by_grant ON device_codes (grant_id);
CREATE INDEX device_codes_by_end ON device_codes (expires_at);
