-- What the packages of a vessel were resolved to, for each version of its fleet that was resolved.
-- A later version that asks for the same uses the lock of the earlier one.

CREATE TABLE package_lock (
    fleet_no    INTEGER NOT NULL REFERENCES fleet (no),
    vessel_id   BLOB    NOT NULL,
    version     INTEGER NOT NULL,
    request     TEXT    NOT NULL, -- what was asked for
    interpreter TEXT    NOT NULL, -- for which the hashes are valid
    lock        TEXT    NOT NULL, -- in the form of the package manager
    locked_ms   INTEGER NOT NULL,
    PRIMARY KEY (fleet_no, vessel_id, version)
) STRICT;
