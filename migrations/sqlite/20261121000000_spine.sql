-- The spine: people, projects, keys, sessions, the signing key, the audit log and the change feed.
-- Ids are UUIDs as 16 bytes; instants are microseconds since 1970-01-01T00:00:00Z. The same tables stand in ../postgres.

CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,          -- lower case
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,                 -- Argon2id, PHC string
    admin         INTEGER NOT NULL,
    active        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

-- The instance's catalogue of scopes. A project that chose none of its own offers the default set.
CREATE TABLE scopes (
    name        TEXT    NOT NULL PRIMARY KEY,
    description TEXT    NOT NULL,
    in_default  INTEGER NOT NULL,
    position    INTEGER NOT NULL
) STRICT;

INSERT INTO scopes (name, description, in_default, position) VALUES
    ('data:read', 'Read the project''s data', 1, 1),
    ('data:write', 'Create, change and delete the project''s data', 1, 2),
    ('usage:read', 'Read the project''s usage figures', 1, 3);

CREATE TABLE projects (
    id             BLOB    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL,
    config         TEXT    NOT NULL,                -- JSON, read by whoever holds a token of the project
    token_life_max INTEGER NOT NULL,                -- seconds
    own_scopes     INTEGER NOT NULL,                -- 1: project_scopes holds what it offers; 0: the default set
    created_at     INTEGER NOT NULL,
    archived_at    INTEGER
) STRICT;

CREATE TABLE project_scopes (
    project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL REFERENCES scopes (name),
    PRIMARY KEY (project_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    project_id BLOB    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_project ON members (project_id);

CREATE TABLE keys (
    id              BLOB    NOT NULL PRIMARY KEY,   -- version 7: later keys have greater ids
    project_id      BLOB    NOT NULL REFERENCES projects (id),
    name            TEXT    NOT NULL,
    environment     TEXT    NOT NULL CHECK (environment IN ('live', 'test')),
    digest          BLOB    NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret itself is nowhere
    preview         TEXT    NOT NULL,
    scopes          TEXT    NOT NULL,               -- JSON array; empty means none
    issued_to       TEXT,
    not_before      INTEGER,
    expires_at      INTEGER,
    active          INTEGER NOT NULL,
    deleted_at      INTEGER,
    form_number     BLOB    UNIQUE,                 -- the one-time number of the form that made it
    created_by      BLOB,                           -- no reference: a key outlives the person who made it
    created_by_name TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_used_at    INTEGER
) STRICT;
CREATE INDEX keys_by_project ON keys (project_id, id);
CREATE INDEX keys_deleted ON keys (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE sessions (
    id_digest  BLOB    NOT NULL PRIMARY KEY,        -- SHA-256 of the id that the cookie holds
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    data       TEXT    NOT NULL,                    -- JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- What this Keyward signs with. The private half is sealed (AEAD) under the key file; one row a purpose and generation.
CREATE TABLE signing_keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    public_key BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (purpose, generation)
) STRICT;

-- Append-only: the triggers below refuse what the code never does.
CREATE TABLE audit_events (
    seq         INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,                   -- user:<id>, operator or system
    actor_name  TEXT    NOT NULL,                   -- at that time
    action      TEXT    NOT NULL,
    target      TEXT    NOT NULL,                   -- key:<id>, user:<id>, …
    target_name TEXT    NOT NULL,                   -- at that time
    project_id  BLOB,
    reason      TEXT,
    ip          TEXT,
    agent       TEXT,
    request_id  TEXT,
    detail      TEXT    NOT NULL,                   -- JSON: before and after of what changed; never a secret
    prev        BLOB    NOT NULL,
    hash        BLOB    NOT NULL
) STRICT;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;

-- What other processes must hear of, in the order of commit.
CREATE TABLE changes (
    seq   INTEGER NOT NULL PRIMARY KEY,
    at    INTEGER NOT NULL,
    topic TEXT    NOT NULL,
    id    BLOB    NOT NULL
) STRICT;

-- The head of both sequences: one row, taken as the last step of every write.
CREATE TABLE head (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    audit_seq  INTEGER NOT NULL,
    audit_hash BLOB    NOT NULL,
    change_seq INTEGER NOT NULL
) STRICT;
INSERT INTO head (id, audit_seq, audit_hash, change_seq) VALUES (1, 0, zeroblob(32), 0);
