-- What the pages show besides: an administrator's word on a key, a person's time zone, who may grant a scope.
-- Only additions with defaults: the release before reads and writes these tables as it did. The same stands in ../sqlite.

ALTER TABLE keys ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;    -- an administrator stopped it: only one can start it again
ALTER TABLE keys ADD COLUMN note TEXT;                          -- the reason of the last administrator who changed it
ALTER TABLE keys ADD COLUMN note_by TEXT;                       -- their name at that time
ALTER TABLE keys ADD COLUMN note_at BIGINT;

ALTER TABLE users ADD COLUMN zone TEXT;                         -- IANA name; null: the browser's

ALTER TABLE scopes ADD COLUMN granted_by TEXT NOT NULL DEFAULT 'operator' CHECK (granted_by IN ('owner', 'operator'));
