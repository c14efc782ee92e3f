-- Of the history: what idempotent and durable tasks have in addition.
ALTER TABLE history ADD COLUMN idempotency_key TEXT;
ALTER TABLE history ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE pending RENAME TO pending_2;

CREATE TABLE pending (
  id      BLOB    PRIMARY KEY,
  owner   TEXT,                    -- the instance that holds the task; NULL: nobody, it can be claimed
  session TEXT,                    -- the opened handle whose SavePending wrote it; NULL: the journal did, or it was claimed
  name    TEXT    NOT NULL,
  status  TEXT    NOT NULL,
  source  TEXT    NOT NULL,
  format  INTEGER NOT NULL,        -- version of the record's JSON; 0: it cannot be read, and is not claimed again
  record  TEXT    NOT NULL,        -- the record as JSON, without the three below
  stack   TEXT,
  logs    TEXT,                    -- JSON array
  args    BLOB
) WITHOUT ROWID;

INSERT INTO pending
SELECT id, owner, session,
       coalesce(iif(json_valid(record), record ->> '$.func_name', ''), ''),
       coalesce(iif(json_valid(record), record ->> '$.status', ''), ''),
       coalesce(iif(json_valid(record), record ->> '$.source', ''), ''),
       iif(json_valid(record), coalesce(record ->> '$.format', 1), 0),
       record, NULL, NULL, NULL
FROM pending_2;

DROP TABLE pending_2;

-- What Claim looks for. Rows that somebody holds are not in it, so that the journal has nothing to do with it.
CREATE INDEX pending_free ON pending (name, id, format) WHERE owner IS NULL;

-- Who may hold pending rows: looking for the rows of one that is gone takes a walk over all.
CREATE TABLE holder (
  owner TEXT PRIMARY KEY
) WITHOUT ROWID;

INSERT INTO holder SELECT DISTINCT owner FROM pending WHERE owner IS NOT NULL;

CREATE TABLE instance (
  id          TEXT    PRIMARY KEY,
  seen        INTEGER NOT NULL,    -- microseconds since 1970, UTC
  begun       INTEGER NOT NULL,    -- of its lease: nanoseconds since the machine was started (where that is not known: since 1970)
  lasts       INTEGER NOT NULL,    -- of its lease: nanoseconds
  locked      INTEGER NOT NULL,    -- 1: its process holds a lock on a file beside this one for as long as it lives
  description TEXT    NOT NULL     -- the instance as JSON
) WITHOUT ROWID;

CREATE TABLE idempotency_key (
  key     BLOB    PRIMARY KEY,
  task_id BLOB    NOT NULL,
  owner   TEXT    NOT NULL,        -- the instance that added the task
  expires INTEGER NOT NULL         -- microseconds since 1970, UTC
) WITHOUT ROWID;
CREATE INDEX idempotency_key_expires ON idempotency_key (expires);

CREATE TABLE slot (
  schedule TEXT    PRIMARY KEY,
  taken    INTEGER NOT NULL        -- the latest that was taken, in microseconds since 1970, UTC
) WITHOUT ROWID;

-- The newest message always stays, so that numbers never come again.
CREATE TABLE message (
  number INTEGER PRIMARY KEY,
  posted INTEGER NOT NULL,         -- microseconds since 1970, UTC
  body   BLOB    NOT NULL
);
CREATE INDEX message_posted ON message (posted);
