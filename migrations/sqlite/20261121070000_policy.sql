-- What holds for everybody, as administrators say it: one row, there from the start. The same stands in both folders.

CREATE TABLE policy (
    id               INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key_life_max     INTEGER,                          -- days; null: any
    may_never_expire INTEGER NOT NULL,
    token_life_max   INTEGER NOT NULL,                 -- seconds
    sign_up          TEXT    NOT NULL CHECK (sign_up IN ('closed', 'invite', 'open')),
    keys_per_project INTEGER,                          -- null: any number
    second_factor    TEXT    NOT NULL CHECK (second_factor IN ('nobody', 'administrators', 'everybody'))
) STRICT;
INSERT INTO policy (id, may_never_expire, token_life_max, sign_up, second_factor)
    VALUES (1, 1, 2592000, 'closed', 'nobody');
