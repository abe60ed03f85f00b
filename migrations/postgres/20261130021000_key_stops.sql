-- Users whose keys are being deactivated: many keys take many writes, and a process that starts later finishes what one that ended has
-- begun. Only additions: the previous release does not know this table. The same stands in ../sqlite.

CREATE TABLE key_stops (
    user_id    UUID    NOT NULL PRIMARY KEY,         -- no reference: the keys outlive the user
    reason     TEXT    NOT NULL,                    -- for the owners of the keys
    stopped_by TEXT    NOT NULL,                    -- the name of the administrator at that time
    created_at BIGINT  NOT NULL
);
