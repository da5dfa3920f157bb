-- What sandboxes are charged for, as in sandbox.usage: a row per interval and per reversal. A reversal takes back
-- the interval that it names, and has its times. Folded from that topic, and can be rebuilt from it.

CREATE TABLE usage_intervals (
  id VARCHAR(36) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  sandbox_id VARCHAR(64) NOT NULL,
  template_id VARCHAR(300) NOT NULL,
  template_name VARCHAR(300) NOT NULL,
  size_name VARCHAR(64) NOT NULL,
  cpu_millis INT NOT NULL,
  memory_bytes BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  from_ms BIGINT NOT NULL,
  to_ms BIGINT NOT NULL,
  reverses VARCHAR(36)
);

CREATE INDEX usage_of_org ON usage_intervals (org_id, from_ms);

-- Up to when usage is final, as each partition of sandbox.events tells.
CREATE TABLE usage_watermarks (
  source_partition INT PRIMARY KEY,
  source_partitions INT NOT NULL,
  complete_through_ms BIGINT NOT NULL
);
