-- How often each webhook was called in each quarter of an hour (midnight in every time zone is the
-- start of a quarter), and the last call in it. Written shortly after the answer, many calls in one
-- operation. Counts are kept for two days before the quarter of the last call.
CREATE TABLE webhook_calls (
    fleet_no         INTEGER NOT NULL REFERENCES fleet (no),
    quarter_ms       INTEGER NOT NULL, -- the start of the quarter
    accepted         INTEGER NOT NULL,
    refused          INTEGER NOT NULL,
    last_ms          INTEGER NOT NULL,
    last_status      INTEGER NOT NULL, -- 0 = closed without an answer
    last_answer_us   INTEGER NOT NULL,
    last_remote_addr TEXT    NOT NULL,
    PRIMARY KEY (fleet_no, quarter_ms)
) STRICT, WITHOUT ROWID;
