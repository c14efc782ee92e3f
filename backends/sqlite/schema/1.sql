CREATE TABLE history (
  id          BLOB    PRIMARY KEY, -- the 16 bytes of the UUID: their order is the order of adding
  name        TEXT    NOT NULL,
  status      TEXT    NOT NULL,
  source      TEXT    NOT NULL,
  pool        TEXT    NOT NULL,
  priority    INTEGER NOT NULL,
  flags       INTEGER NOT NULL,    -- 1: closure, 2: requeue, 4: durable
  created_at  INTEGER,             -- times: nanoseconds since 1970, UTC; NULL: none
  run_at      INTEGER,
  start_time  INTEGER,
  end_time    INTEGER,
  attempts    INTEGER NOT NULL,
  max_retries INTEGER NOT NULL,
  retry_of    TEXT,
  error       TEXT,
  log_count   INTEGER NOT NULL,
  owner       TEXT,
  tags        TEXT,                -- JSON object
  stack       TEXT,
  logs        TEXT,                -- JSON array
  args        BLOB
) WITHOUT ROWID;

CREATE TABLE pending (
  id      BLOB PRIMARY KEY,
  owner   TEXT,                    -- the instance that holds the task; NULL: nobody, it can be claimed
  session TEXT,                    -- the opened handle whose SavePending wrote it; NULL: the journal did, or it was claimed
  record  TEXT NOT NULL            -- the record as JSON
) WITHOUT ROWID;

CREATE TABLE audit (
  id      BLOB    PRIMARY KEY,
  time    INTEGER,
  action  TEXT    NOT NULL,
  task_id TEXT    NOT NULL,
  actor   TEXT    NOT NULL,
  remote  TEXT    NOT NULL,
  detail  TEXT                     -- JSON object
) WITHOUT ROWID;

CREATE TABLE secret (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;
