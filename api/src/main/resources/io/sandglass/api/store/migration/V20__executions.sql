-- The commands that ran in sandboxes, folded from their starts and ends in the log. started_version is the
-- version of the event that began it: what ends it comes later, and lists go by it.

-- Folded again from the log's first event, so that commands of before have their rows.
DELETE FROM sandbox_metadata;
DELETE FROM events;
DELETE FROM sandboxes;
DELETE FROM projection_offsets;

CREATE TABLE executions (
  sandbox_id VARCHAR(64) NOT NULL,
  id VARCHAR(100) NOT NULL,
  command VARCHAR NOT NULL,
  detached BOOLEAN NOT NULL,
  timeout_ms BIGINT NOT NULL,
  actor VARCHAR(200) NOT NULL,
  started_version BIGINT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  exit_code INT,
  timed_out BOOLEAN NOT NULL,
  truncated BOOLEAN NOT NULL,
  stdout_bytes BIGINT,
  stderr_bytes BIGINT,
  duration_ms BIGINT,
  failure VARCHAR,
  PRIMARY KEY (sandbox_id, id)
);

CREATE INDEX executions_newest ON executions (sandbox_id, started_version);
