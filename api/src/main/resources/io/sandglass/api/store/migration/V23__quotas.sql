-- What an organization may have; null is the installation's default.
CREATE TABLE quotas (
  org_id VARCHAR(64) PRIMARY KEY REFERENCES organizations (id),
  live_sandboxes BIGINT,
  cpu_millis BIGINT,
  memory_mb BIGINT,
  creates_per_second INT
);

-- What it has: a row for each sandbox, from before it is asked for until its end is folded.
CREATE TABLE reservations (
  sandbox_id VARCHAR(64) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  cpu_millis INT NOT NULL,
  memory_bytes BIGINT NOT NULL,
  reserved_at_ms BIGINT NOT NULL
);

CREATE INDEX reservations_of_org ON reservations (org_id, cpu_millis, memory_bytes);

INSERT INTO reservations (sandbox_id, org_id, cpu_millis, memory_bytes, reserved_at_ms)
  SELECT id, org_id, cpu_millis, memory_bytes, created_at_ms FROM sandboxes WHERE status <> 'destroyed';
