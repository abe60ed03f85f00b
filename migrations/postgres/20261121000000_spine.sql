-- The spine: people, projects, keys, sessions, the signing key, the audit log and the change feed.
-- Instants are microseconds since 1970-01-01T00:00:00Z. The same tables stand in ../sqlite.

CREATE TABLE users (
    id            UUID    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,          -- lower case
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,                 -- Argon2id, PHC string
    admin         BOOLEAN NOT NULL,
    active        BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);

-- The instance's catalogue of scopes. A project that chose none of its own offers the default set.
CREATE TABLE scopes (
    name        TEXT    NOT NULL PRIMARY KEY,
    description TEXT    NOT NULL,
    in_default  BOOLEAN NOT NULL,
    position    BIGINT  NOT NULL
);

INSERT INTO scopes (name, description, in_default, position) VALUES
    ('data:read', 'Read the project''s data', TRUE, 1),
    ('data:write', 'Create, change and delete the project''s data', TRUE, 2),
    ('usage:read', 'Read the project''s usage figures', TRUE, 3);

CREATE TABLE projects (
    id             UUID    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL,
    config         TEXT    NOT NULL,                -- JSON, read by whoever holds a token of the project
    token_life_max BIGINT  NOT NULL,                -- seconds
    own_scopes     BOOLEAN NOT NULL,                -- true: project_scopes holds what it offers; false: the default set
    created_at     BIGINT  NOT NULL,
    archived_at    BIGINT
);

CREATE TABLE project_scopes (
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL REFERENCES scopes (name),
    PRIMARY KEY (project_id, scope)
);

CREATE TABLE members (
    project_id UUID    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (user_id, project_id)
);
CREATE INDEX members_by_project ON members (project_id);

CREATE TABLE keys (
    id              UUID    NOT NULL PRIMARY KEY,   -- version 7: later keys have greater ids
    project_id      UUID    NOT NULL REFERENCES projects (id),
    name            TEXT    NOT NULL,
    environment     TEXT    NOT NULL CHECK (environment IN ('live', 'test')),
    digest          BYTEA   NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret itself is nowhere
    preview         TEXT    NOT NULL,
    scopes          TEXT    NOT NULL,               -- JSON array; empty means none
    issued_to       TEXT,
    not_before      BIGINT,
    expires_at      BIGINT,
    active          BOOLEAN NOT NULL,
    deleted_at      BIGINT,
    form_number     UUID    UNIQUE,                 -- the one-time number of the form that made it
    created_by      UUID,                           -- no reference: a key outlives the person who made it
    created_by_name TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    last_used_at    BIGINT
);
CREATE INDEX keys_by_project ON keys (project_id, id);
CREATE INDEX keys_deleted ON keys (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE sessions (
    id_digest  BYTEA   NOT NULL PRIMARY KEY,        -- SHA-256 of the id that the cookie holds
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    data       TEXT    NOT NULL,                    -- JSON
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- What this Keyward signs with. The private half is sealed (AEAD) under the key file; one row a purpose and generation.
CREATE TABLE signing_keys (
    id         UUID    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    generation BIGINT  NOT NULL,
    public_key BYTEA   NOT NULL,
    sealed     BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    UNIQUE (purpose, generation)
);

-- Append-only: the triggers below refuse what the code never does.
CREATE TABLE audit_events (
    seq         BIGINT  NOT NULL PRIMARY KEY,
    at          BIGINT  NOT NULL,
    actor       TEXT    NOT NULL,                   -- user:<id>, operator or system
    actor_name  TEXT    NOT NULL,                   -- at that time
    action      TEXT    NOT NULL,
    target      TEXT    NOT NULL,                   -- key:<id>, user:<id>, …
    target_name TEXT    NOT NULL,                   -- at that time
    project_id  UUID,
    reason      TEXT,
    ip          TEXT,
    agent       TEXT,
    request_id  TEXT,
    detail      TEXT    NOT NULL,                   -- JSON: before and after of what changed; never a secret
    prev        BYTEA   NOT NULL,
    hash        BYTEA   NOT NULL
);
CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit events are append-only'; END $$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse();

-- What other processes must hear of, in the order of commit.
CREATE TABLE changes (
    seq   BIGINT  NOT NULL PRIMARY KEY,
    at    BIGINT  NOT NULL,
    topic TEXT    NOT NULL,
    id    UUID    NOT NULL
);

-- The head of both sequences: one row, taken as the last step of every write.
CREATE TABLE head (
    id         BIGINT  NOT NULL PRIMARY KEY CHECK (id = 1),
    audit_seq  BIGINT  NOT NULL,
    audit_hash BYTEA   NOT NULL,
    change_seq BIGINT  NOT NULL
);
INSERT INTO head (id, audit_seq, audit_hash, change_seq) VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0);
