-- Keys end by themselves, tell when they were last used, have scopes of more than two kinds, and are kept as
-- HMACs. Those of before have no checksum and another hash: they are revoked, to be made anew.

ALTER TABLE api_keys ADD COLUMN expires_at_ms BIGINT;
ALTER TABLE api_keys ADD COLUMN last_used_at_ms BIGINT;

UPDATE api_keys SET scopes = REPLACE(REPLACE(scopes, 'read', 'sandboxes:read usage:read'), 'write', 'sandboxes:write');
UPDATE api_keys SET revoked_at_ms = CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000 AS BIGINT)
  WHERE revoked_at_ms IS NULL;
