-- Credentials: values that fleet files refer to by name, "#{GROUP.ITEM}".

CREATE TABLE credential (
    no           INTEGER PRIMARY KEY,
    org_no       INTEGER NOT NULL REFERENCES org (no),
    "group"      TEXT    NOT NULL,
    item         TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    changed_ms   INTEGER NOT NULL,
    changed_by   TEXT    NOT NULL,           -- as in audit.who
    last_used_ms INTEGER NOT NULL DEFAULT 0, -- to the minute; 0 = never
    sealed       BLOB    NOT NULL,           -- bound to its organization, group and item
    UNIQUE (org_no, "group", item)
) STRICT;
