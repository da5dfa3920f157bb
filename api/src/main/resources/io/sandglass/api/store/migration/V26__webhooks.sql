-- Where organizations want to hear of their events. history_cursor tells up to where in the log deliveries
-- have been made rows of; with the lock on the webhook's row it moves in the transaction that makes them.

CREATE TABLE webhooks (
  id VARCHAR(64) PRIMARY KEY,
  org_id VARCHAR(64) NOT NULL,
  url VARCHAR(2048) NOT NULL,
  description VARCHAR NOT NULL,
  event_types VARCHAR NOT NULL,
  sealed_secret ${bytes} NOT NULL,
  sealed_old_secret ${bytes},
  old_secret_until_ms BIGINT,
  history_cursor VARCHAR NOT NULL,
  disabled_at_ms BIGINT,
  disabled_cause VARCHAR(16),
  created_at_ms BIGINT NOT NULL,
  created_by VARCHAR(200) NOT NULL,
  last_delivered_at_ms BIGINT
);

CREATE INDEX webhooks_of_org ON webhooks (org_id, created_at_ms, id);

-- next_attempt_at_ms is set for what may be sent: of the pending events of one sandbox the first only, and
-- what was asked for again. While it is being sent, it is the time at which the sender counts as lost, and
-- sender says whose it is.
CREATE TABLE webhook_deliveries (
  id VARCHAR(64) PRIMARY KEY,
  webhook_id VARCHAR(64) NOT NULL,
  sandbox_id VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  event_id VARCHAR(100) NOT NULL,
  event_type VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  asked_again BOOLEAN NOT NULL,
  attempts INT NOT NULL,
  begun_at_ms BIGINT,
  last_attempt_at_ms BIGINT,
  last_status INT,
  last_error VARCHAR,
  next_attempt_at_ms BIGINT,
  sender VARCHAR(64),
  created_at_ms BIGINT NOT NULL
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at_ms, webhook_id);
CREATE INDEX webhook_deliveries_due_of_webhook ON webhook_deliveries (webhook_id, next_attempt_at_ms);
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook_id, sandbox_id, state, version);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, created_at_ms, sandbox_id, version);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at_ms);
