-- The hidden values of each version of a fleet. The version's definition has the word
-- SHIPYARD_HIDDEN in their place.

CREATE TABLE hidden_value (
    fleet_no  INTEGER NOT NULL REFERENCES fleet (no),
    version   INTEGER NOT NULL,
    vessel_id BLOB    NOT NULL,
    name      TEXT    NOT NULL, -- of the variable
    sealed    BLOB    NOT NULL, -- bound to its fleet, vessel and name
    PRIMARY KEY (fleet_no, version, vessel_id, name)
) STRICT;
