-- What becomes of tokens after they were issued: those that were revoked, what ends all that were issued before an instant, and from
-- when each signing key signs, so that it is published before it is used. Only additions. The same stands in ../postgres.

-- Tokens that were revoked one by one, for as long as they could live.
CREATE TABLE revoked_tokens (
    jti        BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (expires_at);

-- Keys and grants whose tokens from before an instant say more than is true any more: they were narrowed, or are gone for good. Whoever
-- asks this Keyward hears the truth of the key itself; this is for whoever checks tokens without asking.
CREATE TABLE token_cutoffs (
    holder        TEXT    NOT NULL PRIMARY KEY,     -- key:<id> or grant:<id>
    issued_before INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_cutoffs_by_instant ON token_cutoffs (issued_before);

-- Keys that are refused, by when they last changed: their tokens are listed for as long as one could live.
CREATE INDEX keys_stopped ON keys (updated_at) WHERE NOT active OR deleted_at IS NOT NULL;

-- Seconds: the longest that the policy has ever let a token live. A token from before may live on when the policy lets them live less.
ALTER TABLE policy ADD COLUMN token_life_ever INTEGER NOT NULL DEFAULT 0;
UPDATE policy SET token_life_ever = token_life_max;

-- From when a key signs; it is published as soon as it is there.
ALTER TABLE signing_keys ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_from = created_at;
