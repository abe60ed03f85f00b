-- What holds for everybody, as administrators say it: one row, there from the start. The same stands in both folders.

CREATE TABLE policy (
    id               INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key_life_max     BIGINT,                          -- days; null: any
    may_never_expire BOOLEAN NOT NULL,
    token_life_max   BIGINT NOT NULL,                 -- seconds
    sign_up          TEXT    NOT NULL CHECK (sign_up IN ('closed', 'invite', 'open')),
    keys_per_project BIGINT,                          -- null: any number
    second_factor    TEXT    NOT NULL CHECK (second_factor IN ('nobody', 'administrators', 'everybody'))
);
INSERT INTO policy (id, may_never_expire, token_life_max, sign_up, second_factor)
    VALUES (1, TRUE, 2592000, 'closed', 'nobody');
