-- Templates that organizations have defined, and how far the nodes are with building them, as in
-- sandbox.templates. log_offset is the record's place there: an older record never overwrites a newer row.
-- A deleted template's row stays, emptied, so that a late reader of the log does not bring it back.

CREATE TABLE templates (
  id VARCHAR(64) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  name VARCHAR(64) NOT NULL,
  revision VARCHAR(64) NOT NULL,
  image VARCHAR(300) NOT NULL,
  dockerfile VARCHAR,
  description VARCHAR NOT NULL,
  env_names VARCHAR NOT NULL,
  env_sealed ${bytes},
  egress VARCHAR,
  warm INT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  deleted BOOLEAN NOT NULL,
  log_offset BIGINT NOT NULL
);

CREATE INDEX templates_of_org ON templates (org_id, name);

CREATE TABLE template_builds (
  template_id VARCHAR(64) NOT NULL,
  node_id VARCHAR(64) NOT NULL,
  revision VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  error VARCHAR,
  at_ms BIGINT NOT NULL,
  log_offset BIGINT NOT NULL,
  PRIMARY KEY (template_id, node_id)
);
