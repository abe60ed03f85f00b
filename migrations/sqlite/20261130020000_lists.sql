-- Lists that stay fast at a million keys: an index for each order and filter, and names without case and accents for search and order.
-- The folded columns are computed by the program. An empty one is not filled yet: a row of the previous release, which upkeep fills.
-- Only additions: the previous release reads and writes these tables as it did. The same stands in ../postgres.

ALTER TABLE users ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN issued_to_folded TEXT;

-- The previous release renames without folding: then the folded name is filled again.
CREATE TRIGGER users_renamed AFTER UPDATE OF name ON users
    WHEN NEW.name <> OLD.name AND NEW.name_folded = OLD.name_folded AND NEW.name_folded <> ''
    BEGIN UPDATE users SET name_folded = '' WHERE id = NEW.id; END;
CREATE TRIGGER projects_renamed AFTER UPDATE OF name ON projects
    WHEN NEW.name <> OLD.name AND NEW.name_folded = OLD.name_folded AND NEW.name_folded <> ''
    BEGIN UPDATE projects SET name_folded = '' WHERE id = NEW.id; END;
CREATE TRIGGER keys_renamed AFTER UPDATE OF name, issued_to ON keys
    WHEN (NEW.name <> OLD.name AND NEW.name_folded = OLD.name_folded AND NEW.name_folded <> '')
        OR (NEW.issued_to IS NOT OLD.issued_to AND NEW.issued_to_folded IS OLD.issued_to_folded)
    BEGIN UPDATE keys SET name_folded = '' WHERE id = NEW.id; END;

CREATE INDEX users_by_name ON users (name_folded, id);
CREATE INDEX users_to_fold ON users (id) WHERE name_folded = '';
CREATE INDEX projects_by_name ON projects (name_folded, id);
CREATE INDEX projects_to_fold ON projects (id) WHERE name_folded = '';
CREATE INDEX keys_to_fold ON keys (id) WHERE name_folded = '';

-- The names in the audit log, folded, in a table of their own: events are append-only.
CREATE TABLE audit_names (
    seq         INTEGER NOT NULL PRIMARY KEY,
    actor_name  TEXT    NOT NULL,
    target_name TEXT    NOT NULL
) STRICT;

-- What a list is filtered by stands in the index itself, so that a page and its totals read no rows beside it.
CREATE INDEX keys_listed ON keys (id, active, not_before, expires_at, project_id, environment, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX keys_listed_by_project ON keys (project_id, id, active, not_before, expires_at, environment, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX keys_by_name ON keys (name_folded, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_use ON keys (COALESCE(last_used_at, 0) DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_end ON keys (COALESCE(expires_at, 9223372036854775807), id DESC) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_recipient ON keys (project_id, issued_to, id) WHERE issued_to IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX keys_by_creator ON keys (created_by, project_id, id, active, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_scopes ON keys (scopes, deleted_at) WHERE deleted_at IS NULL AND LENGTH(scopes) <= 1000;
-- Longer ones do not fit into an index of PostgreSQL.
CREATE INDEX keys_of_many_scopes ON keys (id) WHERE deleted_at IS NULL AND LENGTH(scopes) > 1000;

-- What upkeep removes, by when.
CREATE INDEX grants_ended ON grants (COALESCE(ended_at, until));
CREATE INDEX changes_by_time ON changes (at);
CREATE INDEX invitations_by_end ON invitations (expires_at);
CREATE INDEX invitations_by_maker ON invitations (invited_by);
CREATE INDEX usage_writers_by_time ON usage_writers (at);
CREATE INDEX key_quotas_by_end ON key_quotas (whole_at);
CREATE INDEX projects_archived ON projects (archived_at) WHERE archived_at IS NOT NULL;
CREATE INDEX projects_by_token_life ON projects (token_life_max);
CREATE INDEX project_scopes_by_scope ON project_scopes (scope, project_id);
CREATE INDEX grants_holding ON grants (until) WHERE ended_at IS NULL;
CREATE INDEX users_administrators ON users (id) WHERE admin AND active;
