-- An endpoint that is too busy says when it wants to be called again: until then nothing is sent to it.
-- A delivery of the type WebhookTest is of no event and no sandbox: it has its own id in their place, so that it
-- stands in nobody's line.
ALTER TABLE webhooks ADD COLUMN paused_until_ms BIGINT;
