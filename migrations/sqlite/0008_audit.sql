-- Which fleet an entry of the audit log is about, and which version the change created.

-- NULL: none. Of the entries about fleet runs, those of earlier versions of webhookd lack it.
ALTER TABLE audit ADD COLUMN fleet_id BLOB;
ALTER TABLE audit ADD COLUMN version INTEGER; -- NULL: none
UPDATE audit SET fleet_id = subject_id
    WHERE action IN ('fleet.apply', 'fleet.delete', 'webhook.create', 'webhook.replace',
                     'webhook.remove', 'webhook.show');
-- Until now, only the text had the version.
UPDATE audit SET version = CAST(substr(detail, length('version ') + 1) AS INTEGER)
    WHERE action = 'fleet.apply' AND detail LIKE 'version %';
