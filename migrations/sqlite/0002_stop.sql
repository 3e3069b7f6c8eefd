-- Somebody asked for the run to be stopped: when, or 0. The wish is durable; the runner looks for such rows when it is told that there are some.
ALTER TABLE run_open ADD COLUMN stop_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_open_stopping ON run_open (fleet_no) WHERE stop_ms > 0;
