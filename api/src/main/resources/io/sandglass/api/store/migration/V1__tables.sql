-- Times are milliseconds since 1970 in UTC, as in the log: the same number on every database.

CREATE TABLE organizations (
  id VARCHAR(64) PRIMARY KEY,
  name VARCHAR(200) NOT NULL,
  created_at_ms BIGINT NOT NULL
);

CREATE TABLE api_keys (
  id VARCHAR(64) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL REFERENCES organizations (id),
  name VARCHAR(200) NOT NULL,
  scopes VARCHAR(400) NOT NULL,
  secret_hash VARCHAR(64) NOT NULL,
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT
);

CREATE INDEX api_keys_of_org ON api_keys (org_id, id);

-- The key that seals a sandbox's environment, itself sealed with the master key. Gone with the sandbox.
CREATE TABLE sandbox_keys (
  sandbox_id VARCHAR(64) PRIMARY KEY,
  sealed_keyset ${bytes} NOT NULL,
  created_at_ms BIGINT NOT NULL
);

-- What follows is folded from the log and can be rebuilt from it.

CREATE TABLE sandboxes (
  id VARCHAR(64) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  template_id VARCHAR(300) NOT NULL,
  template_name VARCHAR(300) NOT NULL,
  image VARCHAR(300) NOT NULL,
  mode VARCHAR(16) NOT NULL,
  size_name VARCHAR(64) NOT NULL,
  cpu_millis INT NOT NULL,
  memory_bytes BIGINT NOT NULL,
  egress VARCHAR NOT NULL,
  timeout_ms BIGINT,
  idle_timeout_ms BIGINT,
  env_names VARCHAR NOT NULL,
  env_sealed ${bytes},
  metadata VARCHAR NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_at_ms BIGINT NOT NULL,
  started_at_ms BIGINT,
  expires_at_ms BIGINT,
  last_activity_at_ms BIGINT,
  suspended_at_ms BIGINT,
  destroyed_at_ms BIGINT,
  reason VARCHAR(64),
  reason_detail VARCHAR,
  node_id VARCHAR(64) NOT NULL,
  incarnation INT NOT NULL,
  version BIGINT NOT NULL
);

CREATE INDEX sandboxes_newest ON sandboxes (org_id, created_at_ms, id);
CREATE INDEX sandboxes_by_status ON sandboxes (org_id, status, created_at_ms, id);

-- One row per pair of metadata: the hash of both is short enough for any index.
CREATE TABLE sandbox_metadata (
  sandbox_id VARCHAR(64) NOT NULL,
  pair_hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (sandbox_id, pair_hash)
);

CREATE INDEX sandbox_metadata_pairs ON sandbox_metadata (pair_hash, sandbox_id);

CREATE TABLE events (
  sandbox_id VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  event_id VARCHAR(100) NOT NULL,
  org_id VARCHAR(64) NOT NULL,
  type VARCHAR(64) NOT NULL,
  at_ms BIGINT NOT NULL,
  due_at_ms BIGINT,
  cause VARCHAR(64) NOT NULL,
  actor VARCHAR(200) NOT NULL,
  request_id VARCHAR(200),
  command_id VARCHAR(100),
  status_after VARCHAR(16) NOT NULL,
  incarnation INT NOT NULL,
  node_id VARCHAR(64) NOT NULL,
  data VARCHAR NOT NULL,
  PRIMARY KEY (sandbox_id, version)
);

CREATE TABLE commands (
  id VARCHAR(100) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  sandbox_id VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  code VARCHAR(64),
  detail VARCHAR,
  version BIGINT,
  at_ms BIGINT NOT NULL
);

CREATE INDEX commands_by_age ON commands (at_ms);

-- How far each partition has been folded. Written in the transaction that folds.
CREATE TABLE projection_offsets (
  topic VARCHAR(100) NOT NULL,
  partition_number INT NOT NULL,
  next_offset BIGINT NOT NULL,
  PRIMARY KEY (topic, partition_number)
);

-- Answers to requests with an idempotency key. The status is null while the first request is at work,
-- and stays null when it never came to its end.
CREATE TABLE idempotency (
  org_id VARCHAR(64) NOT NULL,
  idempotency_key VARCHAR(255) NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  status INT,
  headers VARCHAR,
  sealed_body ${bytes},
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, idempotency_key)
);

CREATE INDEX idempotency_by_age ON idempotency (created_at_ms);
