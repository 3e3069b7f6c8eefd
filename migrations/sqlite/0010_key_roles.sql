-- What a key may do, where, and until when. Keys of earlier versions are owners, of everything, for
-- ever. model/api_key.h defines the numbers of the roles.

ALTER TABLE api_key ADD COLUMN role INTEGER NOT NULL DEFAULT 1; -- owner
-- A key is bound to an organization, or to a fleet, or to neither (both are NULL). Rows of org and
-- fleet are never deleted, so a key outlives what it is bound to.
ALTER TABLE api_key ADD COLUMN org_no INTEGER REFERENCES org (no);
ALTER TABLE api_key ADD COLUMN fleet_no INTEGER REFERENCES fleet (no);
ALTER TABLE api_key ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0; -- 0 = never
