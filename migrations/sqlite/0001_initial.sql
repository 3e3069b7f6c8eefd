-- The tables of the first version. Most have an integer key `no`; ids, which users see, are 16-byte
-- blobs. Times are in milliseconds since the epoch, 0 = has not happened yet. model/run_status.h,
-- model/vessel_status.h and model/run_trigger.h define the numbers for status and trigger.

CREATE TABLE org (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0 -- the row is kept, because ended runs refer to it
) STRICT;
CREATE UNIQUE INDEX org_name ON org (name) WHERE deleted = 0;

CREATE TABLE project (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    org_no     INTEGER NOT NULL REFERENCES org (no),
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX project_name ON project (org_no, name) WHERE deleted = 0;

CREATE TABLE fleet (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    project_no INTEGER NOT NULL REFERENCES project (no),
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL, -- the current one
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER           -- NULL = not deleted; the row is kept for the fleet's ended runs
) STRICT;
CREATE UNIQUE INDEX fleet_name ON fleet (project_no, name) WHERE deleted_ms IS NULL;

CREATE TABLE fleet_version (
    no         INTEGER PRIMARY KEY,
    fleet_no   INTEGER NOT NULL REFERENCES fleet (no),
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    definition TEXT    NOT NULL, -- canonical JSON, with the vessels' ids
    file       BLOB    NOT NULL, -- as applied
    UNIQUE (fleet_no, version)
) STRICT;

-- Every request finds its webhook by the hash: one tree, one lookup.
CREATE TABLE webhook (
    hash       BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the token
    fleet_no   INTEGER NOT NULL UNIQUE REFERENCES fleet (no),
    created_ms INTEGER NOT NULL,
    sealed     BLOB    NOT NULL              -- the token, sealed with a key that is kept elsewhere
) STRICT, WITHOUT ROWID;

-- What a run was started with; a row never changes. `no` = milliseconds << 12 | counter: the first
-- 60 bits of the run's id, without its version. So rows are appended at the right edge, and need no
-- other index. Columns that may be large come last: lists never read that far. Neither this table
-- nor run_open has foreign keys: rows of `fleet` are never deleted, and a check would slow down
-- every request.
CREATE TABLE run (
    no          INTEGER PRIMARY KEY,
    id_random   INTEGER NOT NULL, -- the other 62 bits of the id
    fleet_no    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    "trigger"   INTEGER NOT NULL,
    request_id  BLOB    NOT NULL,
    arrived_ms  INTEGER NOT NULL,
    remote_addr TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    query       TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    body_place  INTEGER NOT NULL,
    body_bytes  INTEGER NOT NULL,
    body_sha256 BLOB    NOT NULL,
    headers     TEXT    NOT NULL, -- JSON
    body        BLOB              -- NULL unless it is stored inline
) STRICT;

-- Scheduled runs (status 0) and running ones (1). Accepting a run appends a row; ending it moves
-- the row to run_ended.
CREATE TABLE run_open (
    no         INTEGER PRIMARY KEY,
    fleet_no   INTEGER NOT NULL,
    "trigger"  INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    started_ms INTEGER NOT NULL
) STRICT;
-- Contains only the running runs, which are few. With an index of the scheduled runs by fleet,
-- requests to many fleets would each write a page of their own, which would cost more than all
-- their other work. fleet_load takes the place of such an index.
CREATE INDEX run_open_running ON run_open (fleet_no) WHERE status = 1;

-- The number of a fleet's rows in run_open; written once per fleet and transaction.
CREATE TABLE fleet_load (
    fleet_no INTEGER PRIMARY KEY REFERENCES fleet (no),
    open     INTEGER NOT NULL
) STRICT;

-- Entries of an index end with the row's number, so each of the two indexes below returns runs in
-- order.
CREATE TABLE run_ended (
    no         INTEGER PRIMARY KEY,
    fleet_no   INTEGER NOT NULL,
    "trigger"  INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX run_ended_fleet ON run_ended (fleet_no, status);
CREATE INDEX run_ended_status ON run_ended (status);

CREATE TABLE vessel_run (
    run_no       INTEGER NOT NULL REFERENCES run (no),
    idx          INTEGER NOT NULL, -- the vessel's position in the definition
    id           BLOB    NOT NULL,
    vessel_id    BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    status       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    exit_code    INTEGER,          -- of the last attempt, like reason and output_bytes
    reason       TEXT    NOT NULL,
    started_ms   INTEGER NOT NULL,
    ended_ms     INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,
    PRIMARY KEY (run_no, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    run_no       INTEGER NOT NULL,
    idx          INTEGER NOT NULL,
    attempt      INTEGER NOT NULL, -- from 1
    boot_id      BLOB    NOT NULL, -- identifies the boot of the machine in which it was started
    has_ended    INTEGER NOT NULL,
    exit_code    INTEGER,
    reason       TEXT    NOT NULL,
    started_ms   INTEGER NOT NULL,
    ended_ms     INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,
    output_cut   INTEGER NOT NULL,
    PRIMARY KEY (run_no, idx, attempt),
    FOREIGN KEY (run_no, idx) REFERENCES vessel_run (run_no, idx)
) STRICT, WITHOUT ROWID;
