-- When a stop of the run was requested, or 0. The request is durable; the runner looks for such
-- rows when it learns that there are some.
ALTER TABLE run_open ADD COLUMN stop_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_open_stopping ON run_open (fleet_no) WHERE stop_ms > 0;
