-- Ways in besides a password that is known: links that work once, and accounts at an OpenID Connect provider.
-- Only additions: the release before does not know these tables. The same stands in both folders.

-- What a link carries is stored as its SHA-256 alone. A row is gone once it was used.
CREATE TABLE one_time_links (
    digest     BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('sign_up', 'invitation', 'reset', 'told', 'provider')),
    email      TEXT,                                -- lower case: whom the letter went to
    user_id    BLOB    REFERENCES users (id) ON DELETE CASCADE,
    next       TEXT,                                -- a path of ours: where to go afterwards
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX one_time_links_by_email ON one_time_links (email);
CREATE INDEX one_time_links_by_user ON one_time_links (user_id);
CREATE INDEX one_time_links_by_end ON one_time_links (expires_at);

-- Who a person is at a provider. A person is found by issuer and subject, never by their e-mail address.
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);
