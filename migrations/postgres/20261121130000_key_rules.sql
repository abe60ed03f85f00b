-- Rules that a key can have besides its life: where it may be used from, and how often. Every key that is there has neither: it goes
-- on as it was, for this release and for the one before.
ALTER TABLE keys ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';    -- JSON array of CIDR networks; empty means from anywhere
ALTER TABLE keys ADD COLUMN rate_limit TEXT;                        -- "100/minute,burst=20"; null: none
