-- The overrides of runs that the API trigger started. Only runs whose body_place is 3 can have a
-- row.

CREATE TABLE run_override (
    run_no INTEGER PRIMARY KEY, -- no foreign key, as in run_open
    names  BLOB NOT NULL,       -- the vessels, with their variables' names and their statuses
    sealed BLOB                 -- the same with the values, bound to request_id; NULL = none
) STRICT;
