-- The tables of the first version. Everything has an integer key `no`; the ids that people see are 16-byte blobs.
-- Times are milliseconds since the epoch, 0 = has not happened. Numbers for status and trigger: model/status.h.

CREATE TABLE org (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0 -- kept, so that ended runs can still name it
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
    deleted_ms INTEGER           -- NULL = alive; a deleted fleet is kept for its ended runs
) STRICT;
CREATE UNIQUE INDEX fleet_name ON fleet (project_no, name) WHERE deleted_ms IS NULL;

CREATE TABLE fleet_version (
    no         INTEGER PRIMARY KEY,
    fleet_no   INTEGER NOT NULL REFERENCES fleet (no),
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    definition TEXT    NOT NULL, -- canonical JSON, with the vessels' ids
    file       BLOB    NOT NULL, -- as it was applied
    UNIQUE (fleet_no, version)
) STRICT;

-- Found by its hash on every request: one tree, no second look.
CREATE TABLE webhook (
    hash       BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the token
    fleet_no   INTEGER NOT NULL UNIQUE REFERENCES fleet (no),
    created_ms INTEGER NOT NULL,
    sealed     BLOB    NOT NULL              -- the token, sealed with the key that is not in here
) STRICT, WITHOUT ROWID;

-- What a run was started with; a row never changes. `no` = milliseconds << 12 | counter, the first 60 bits of the run's id, so
-- rows are appended at the right edge and need no other index. What may be large comes last: lists never read that far.
-- No foreign keys here and in run_open: rows of fleet are never deleted, and a check would cost every request.
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
    body        BLOB              -- NULL unless it is kept inline
) STRICT;

-- Runs that wait (status 0) or run (1). Accepting appends a row; ending moves it to run_ended.
CREATE TABLE run_open (
    no         INTEGER PRIMARY KEY,
    fleet_no   INTEGER NOT NULL,
    "trigger"  INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    started_ms INTEGER NOT NULL
) STRICT;
-- Holds only the few that run. An index by fleet of those that wait would cost requests to many fleets more than all the rest:
-- each would write a page of its own. fleet_load is there instead.
CREATE INDEX run_open_running ON run_open (fleet_no) WHERE status = 1;

-- How many rows of run_open a fleet has; written once per fleet and transaction.
CREATE TABLE fleet_load (
    fleet_no INTEGER PRIMARY KEY REFERENCES fleet (no),
    open     INTEGER NOT NULL
) STRICT;

-- An index's entries end in the row's number, so each of these gives runs in order.
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
    idx          INTEGER NOT NULL, -- the vessel's place in the definition
    id           BLOB    NOT NULL,
    vessel_id    BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    status       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    exit_code    INTEGER,          -- of the last attempt, as are the reason and the size of the output
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
    boot_id      BLOB    NOT NULL, -- the machine's boot in which it was started
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
