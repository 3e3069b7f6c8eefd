-- Blueprints: vessels with typed inputs, which an organization keeps and fleets use.

CREATE TABLE blueprint (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    org_no     INTEGER NOT NULL REFERENCES org (no),
    name       TEXT    NOT NULL,
    synopsis   TEXT    NOT NULL,
    visibility INTEGER NOT NULL, -- model/blueprint.h
    version    INTEGER NOT NULL, -- the current one
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER           -- NULL = not deleted; runs of older fleet versions need the row
) STRICT;
CREATE UNIQUE INDEX blueprint_name ON blueprint (org_no, name) WHERE deleted_ms IS NULL;

-- The start of a run reads the head (language, packages, guardrails), the check of a fleet file the
-- inputs; both are in the definition, too, which only an attempt needs. The longest columns come
-- last.
CREATE TABLE blueprint_version (
    no           INTEGER PRIMARY KEY,
    blueprint_no INTEGER NOT NULL REFERENCES blueprint (no),
    version      INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    head         TEXT    NOT NULL, -- canonical JSON, as the next two
    inputs       TEXT    NOT NULL,
    definition   TEXT    NOT NULL,
    file         BLOB    NOT NULL, -- as applied
    UNIQUE (blueprint_no, version)
) STRICT;

-- Which blueprints the current version of a fleet uses.
CREATE TABLE blueprint_use (
    blueprint_no INTEGER NOT NULL REFERENCES blueprint (no),
    fleet_no     INTEGER NOT NULL REFERENCES fleet (no),
    PRIMARY KEY (blueprint_no, fleet_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX blueprint_use_fleet ON blueprint_use (fleet_no);

-- The version of its blueprint that a vessel run executes; NULL = its vessel has no blueprint.
ALTER TABLE vessel_run ADD COLUMN blueprint_version INTEGER;
