-- The audit log grows: as what somebody acted, signed checkpoints, and the ways to find events.
-- Only additions: events from before have no `acting`, and their hashes are those of the form without it. The same stands in
-- ../postgres.

ALTER TABLE audit_events ADD COLUMN acting TEXT;   -- owner, operator, viewer, administrator, self, person, command line, keyward

CREATE INDEX audit_events_by_project ON audit_events (project_id, seq);
CREATE INDEX audit_events_by_target ON audit_events (target, seq);
CREATE INDEX audit_events_by_actor ON audit_events (actor, seq);
CREATE INDEX audit_events_by_time ON audit_events (at);

-- One a sequence number: two nodes cannot sign two heads for the same event.
CREATE TABLE audit_checkpoints (
    seq   INTEGER NOT NULL PRIMARY KEY,
    at    INTEGER NOT NULL,
    token TEXT    NOT NULL                          -- a compact JWS; what it says counts, not the columns beside it
) STRICT;
CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER audit_checkpoints_remain BEFORE DELETE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
