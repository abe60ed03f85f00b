-- Teams: invitations into a project, scopes that are retired, and when an administrator last looked at another's project.
-- Only additions with defaults: the release before reads and writes these tables as it did. The same stands in ../sqlite.

ALTER TABLE scopes ADD COLUMN retired_at BIGINT;               -- keys that hold it keep it; no new key is given it

CREATE TABLE invitations (
    id              UUID    NOT NULL PRIMARY KEY,
    digest          BYTEA   NOT NULL UNIQUE,                    -- SHA-256 of the code in the link; the code itself is nowhere
    project_id      UUID    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    email           TEXT,                                       -- to whom it was mailed; the link itself decides who joins
    invited_by      UUID,
    invited_by_name TEXT    NOT NULL,                           -- at that time
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    used_at         BIGINT,
    used_by         UUID,
    withdrawn_at    BIGINT
);
CREATE INDEX invitations_by_project ON invitations (project_id);

-- One event says that an administrator looked, not one a page.
CREATE TABLE looks (
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id UUID    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (user_id, project_id)
);
