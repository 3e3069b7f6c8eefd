-- Where runs come from, and which keys there were.

-- A JSON list of what was left out when the request was stored, because it was a secret of
-- webhookd: names of headers, and "?name" for parts of the query. NULL: accepted by a version that
-- did not note it. These two columns come after the body, so lists never read them.
ALTER TABLE run ADD COLUMN withheld TEXT;
-- The id of the run whose input this one repeats, or NULL. That run may have been deleted.
ALTER TABLE run ADD COLUMN again_of BLOB;
-- Requests have no entry here, so accepting them writes no further page.
CREATE INDEX run_again ON run (again_of) WHERE again_of IS NOT NULL;

-- Revoked keys: the holder of one is told when it was revoked. If there are too many, the oldest
-- are deleted.
CREATE TABLE revoked_key (
    no         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE, -- SHA-256 of the key
    revoked_ms INTEGER NOT NULL
) STRICT;
