-- API keys, and who changed what.

CREATE TABLE api_key (
    no           INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    hash         BLOB    NOT NULL UNIQUE,           -- SHA-256 of the key
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL DEFAULT 0         -- to the minute; 0 = never
) STRICT;

-- Written in the transaction of the change. The oldest go when there are too many.
CREATE TABLE audit (
    no         INTEGER PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    who        TEXT    NOT NULL, -- "key deploy", "user root"
    source     TEXT    NOT NULL, -- an address; "" = the admin socket
    action     TEXT    NOT NULL, -- "fleet.apply"
    subject_id BLOB,             -- of what was changed
    subject    TEXT    NOT NULL, -- its name then
    detail     TEXT    NOT NULL,
    request_id BLOB    NOT NULL
) STRICT;
