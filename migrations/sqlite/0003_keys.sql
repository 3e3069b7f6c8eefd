-- API keys and the audit log.

CREATE TABLE api_key (
    no           INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    hash         BLOB    NOT NULL UNIQUE,           -- SHA-256 of the key
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL DEFAULT 0         -- to the minute; 0 = never
) STRICT;

-- The audit log: who changed what. Each entry is written in the transaction of its change. If there
-- are too many entries, the oldest are deleted.
CREATE TABLE audit (
    no         INTEGER PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    who        TEXT    NOT NULL, -- "key deploy", "user root"
    source     TEXT    NOT NULL, -- an address, or "" for the admin socket
    action     TEXT    NOT NULL, -- "fleet.apply"
    subject_id BLOB,             -- the id of what was changed
    subject    TEXT    NOT NULL, -- its name at that time
    detail     TEXT    NOT NULL,
    request_id BLOB    NOT NULL
) STRICT;
