-- What is counted of keys: calls by the hour and their outcome, and what is used of limits that outlive a restart.
-- Once a second each process adds one row or more to usage_flushes, in order: cheap, whatever the number of keys. From there it goes
-- into the tables that are read, many flushes at a time. Only additions. The same stands in ../postgres.

CREATE TABLE usage (
    key_id  BLOB    NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    hour    INTEGER NOT NULL,                       -- hours since 1970-01-01T00:00:00Z
    outcome TEXT    NOT NULL,                       -- accepted, or the code of the rule that refused
    calls   INTEGER NOT NULL,
    PRIMARY KEY (key_id, hour, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_hour ON usage (hour);         -- for sweeping

-- How far each process has come: a flush that is sent again, since nobody heard what became of it, is seen to be kept.
CREATE TABLE usage_writers (
    writer BLOB    NOT NULL PRIMARY KEY,            -- one a process, new at each start
    seq    INTEGER NOT NULL,                        -- the last of its flushes that is kept
    at     INTEGER NOT NULL                         -- what it had noted before this instant is kept
) STRICT;

CREATE TABLE usage_flushes (
    writer    BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    first_key BLOB    NOT NULL,                     -- its keys lie between these two
    last_key  BLOB    NOT NULL,
    calls     TEXT    NOT NULL,                     -- JSON: [[key, hour, outcome, calls], …]
    used      TEXT    NOT NULL,                     -- JSON: [[key, last accepted], …]
    quotas    TEXT,                                 -- JSON: [[key, whole again], …]
    PRIMARY KEY (writer, seq)
) STRICT;
CREATE INDEX usage_flushes_by_key ON usage_flushes (first_key, last_key);

-- Of limits of an hour or more: the instant from which nothing of it is used.
CREATE TABLE key_quotas (
    key_id   BLOB    NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    whole_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
