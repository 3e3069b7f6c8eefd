-- Sessions of the console: who has signed in with which key. A session ends with its key.
CREATE TABLE session (
    hash    BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the token
    key_no  INTEGER NOT NULL REFERENCES api_key (no) ON DELETE CASCADE,
    seen_ms INTEGER NOT NULL              -- last use, to within a few minutes
) STRICT, WITHOUT ROWID;
CREATE INDEX session_key ON session (key_no);
CREATE INDEX session_seen ON session (seen_ms);
