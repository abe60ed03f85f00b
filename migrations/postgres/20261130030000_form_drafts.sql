-- What was typed into a form whose session had ended: one draft a person, for an hour, sealed under the key file. Only an addition: the
-- release before does not know this table. The same is in ../sqlite.

CREATE TABLE form_drafts (
    user_id    UUID    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,   -- for whom the form was drawn
    id         UUID    NOT NULL,                 -- what it is sealed for
    digest     BYTEA   NOT NULL UNIQUE,          -- SHA-256 of the code in the browser's cookie
    path       TEXT    NOT NULL,                 -- of the form
    sealed     BYTEA   NOT NULL,                 -- JSON: {"name": ["value", …], …}; never a password or a code
    expires_at BIGINT  NOT NULL
);
