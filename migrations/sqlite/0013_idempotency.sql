-- The Idempotency-Keys of the API trigger: a call that is repeated within a day is answered with
-- the fleet run that the first one started.

-- Everyone whose keys are remembered, with their number.
CREATE TABLE idempotency_caller (
    no         INTEGER PRIMARY KEY,
    caller     TEXT    NOT NULL UNIQUE, -- "key ID", "user UID"
    remembered INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    caller_no   INTEGER NOT NULL, -- no foreign key, as in run_open
    id_hash     BLOB    NOT NULL, -- SHA-256 of the Idempotency-Key
    fingerprint BLOB    NOT NULL, -- SHA-256 of what was asked for
    run_id      BLOB    NOT NULL, -- the run itself may be deleted before the row
    until_ms    INTEGER NOT NULL,
    PRIMARY KEY (caller_no, id_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (until_ms);
