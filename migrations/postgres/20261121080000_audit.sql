-- The audit log grows: as what somebody acted, signed checkpoints, and the ways to find events.
-- Only additions: events from before have no `acting`, and their hashes are those of the form without it. The same stands in
-- ../sqlite.

ALTER TABLE audit_events ADD COLUMN acting TEXT;   -- owner, operator, viewer, administrator, self, person, command line, keyward

CREATE INDEX audit_events_by_project ON audit_events (project_id, seq);
CREATE INDEX audit_events_by_target ON audit_events (target, seq);
CREATE INDEX audit_events_by_actor ON audit_events (actor, seq);
CREATE INDEX audit_events_by_time ON audit_events (at);

-- One a sequence number: two nodes cannot sign two heads for the same event.
CREATE TABLE audit_checkpoints (
    seq   BIGINT NOT NULL PRIMARY KEY,
    at    BIGINT NOT NULL,
    token TEXT   NOT NULL                           -- a compact JWS; what it says counts, not the columns beside it
);
CREATE FUNCTION audit_checkpoints_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'checkpoints are append-only'; END $$;
CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_checkpoints_refuse();
