-- How often each webhook was called, by the quarter of an hour (with which every time zone's midnight begins), and the last call in it.
-- Written a moment after the answer, many calls at once. Calls of the last two days are kept, and the last one before.
CREATE TABLE webhook_calls (
    fleet_no         INTEGER NOT NULL REFERENCES fleet (no),
    quarter_ms       INTEGER NOT NULL, -- when it began
    accepted         INTEGER NOT NULL,
    refused          INTEGER NOT NULL,
    last_ms          INTEGER NOT NULL,
    last_status      INTEGER NOT NULL, -- 0: closed without an answer
    last_answer_us   INTEGER NOT NULL,
    last_remote_addr TEXT    NOT NULL,
    PRIMARY KEY (fleet_no, quarter_ms)
) STRICT, WITHOUT ROWID;
