CREATE TABLE IF NOT EXISTS {meta} (
  name  VARCHAR(255) NOT NULL PRIMARY KEY,
  value BIGINT       NOT NULL
) {options};

-- Finished tasks. Times are nanoseconds since 1970, UTC; NULL: none. JSON is stored as bytes, as it is.
CREATE TABLE IF NOT EXISTS {history} (
  id          BINARY(16)   NOT NULL, -- of the UUID: their order is the order of adding
  name        VARCHAR(255) NOT NULL,
  status      VARCHAR(255) NOT NULL,
  source      VARCHAR(255) NOT NULL,
  pool        VARCHAR(255) NOT NULL,
  priority    BIGINT       NOT NULL,
  flags       BIGINT       NOT NULL, -- 1: closure, 2: requeue, 4: durable
  created_at  BIGINT,
  run_at      BIGINT,
  start_time  BIGINT,
  end_time    BIGINT,
  attempts    BIGINT       NOT NULL,
  max_retries BIGINT       NOT NULL,
  crashes     BIGINT       NOT NULL,
  log_count   BIGINT       NOT NULL,
  retry_of    VARCHAR(255),
  retried_by  VARCHAR(255),
  error       MEDIUMTEXT,
  task_key    VARBINARY(255),        -- idempotency key
  tags        MEDIUMBLOB,            -- JSON object
  search      MEDIUMBLOB   NOT NULL, -- name, error and values of tags in lower case, with zero bytes between them
  owner       VARCHAR(255),
  PRIMARY KEY (id),
  KEY history_status (status, id),
  KEY history_name (name, id),
  KEY history_source (source, id)
) {options};

-- What can be large, apart, so that listings do not read over it.
CREATE TABLE IF NOT EXISTS {detail} (
  id    BINARY(16) NOT NULL PRIMARY KEY,
  stack MEDIUMBLOB,
  logs  LONGBLOB, -- JSON array
  args  LONGBLOB  -- JSON
) {options};

-- The tags of finished tasks.
CREATE TABLE IF NOT EXISTS {tag} (
  id        BINARY(16)   NOT NULL,
  tag_key   VARCHAR(255) NOT NULL,
  tag_value VARCHAR(255) NOT NULL,
  PRIMARY KEY (id, tag_key),
  KEY tag_key (tag_key, id),
  KEY tag_value (tag_key, tag_value, id)
) {options};

-- Totals of the history by status and bucket of duration (-1: it has no duration that counts), in parts that are to be added up.
CREATE TABLE IF NOT EXISTS {total} (
  shard  BIGINT       NOT NULL,
  status VARCHAR(255) NOT NULL,
  bucket BIGINT       NOT NULL,
  tasks  BIGINT       NOT NULL,
  sum_us DECIMAL(38)  NOT NULL,
  PRIMARY KEY (shard, status, bucket)
) {options};

-- Unfinished tasks: the columns of the history, and some more.
CREATE TABLE IF NOT EXISTS {pending} (
  id          BINARY(16)   NOT NULL,
  name        VARCHAR(255) NOT NULL,
  status      VARCHAR(255) NOT NULL,
  source      VARCHAR(255) NOT NULL,
  pool        VARCHAR(255) NOT NULL,
  priority    BIGINT       NOT NULL,
  flags       BIGINT       NOT NULL,
  created_at  BIGINT,
  run_at      BIGINT,
  start_time  BIGINT,
  end_time    BIGINT,
  attempts    BIGINT       NOT NULL,
  max_retries BIGINT       NOT NULL,
  crashes     BIGINT       NOT NULL,
  log_count   BIGINT       NOT NULL,
  retry_of    VARCHAR(255),
  retried_by  VARCHAR(255),
  error       MEDIUMTEXT,
  task_key    VARBINARY(255),
  tags        MEDIUMBLOB,
  search      MEDIUMBLOB   NOT NULL,
  owner       VARCHAR(255),          -- the instance that holds the task; NULL: nobody, it can be claimed
  marks       MEDIUMBLOB,            -- tags, in the form in which they are searched
  stack       MEDIUMBLOB,
  logs        LONGBLOB,
  args        LONGBLOB,
  format      BIGINT       NOT NULL, -- of the record; who knows only lower ones does not claim it
  session     VARCHAR(255),          -- the opened handle whose SavePending wrote it; NULL: the journal did, or it was claimed
  PRIMARY KEY (id),
  KEY pending_owner (owner, id)
) {options};

-- Running managers and their leases, in nanoseconds since 1970 by the clock of this server.
CREATE TABLE IF NOT EXISTS {instance} (
  id         VARCHAR(255) NOT NULL PRIMARY KEY,
  seen_at    BIGINT       NOT NULL,
  expires_at BIGINT       NOT NULL,
  info       MEDIUMBLOB   NOT NULL -- JSON object
) {options};

-- Idempotency keys.
CREATE TABLE IF NOT EXISTS {key} (
  name       VARBINARY(255) NOT NULL PRIMARY KEY,
  task_id    BINARY(16)     NOT NULL,
  owner      VARCHAR(255)   NOT NULL,
  expires_at BIGINT         NOT NULL,
  KEY key_expires (expires_at)
) {options};

-- The last slot of each schedule, in microseconds since 1970.
CREATE TABLE IF NOT EXISTS {slot} (
  schedule VARBINARY(1000) NOT NULL PRIMARY KEY,
  slot     BIGINT          NOT NULL
) {options};

CREATE TABLE IF NOT EXISTS {message} (
  number    BIGINT     NOT NULL PRIMARY KEY,
  posted_at BIGINT     NOT NULL,
  body      MEDIUMBLOB NOT NULL
) {options};

CREATE TABLE IF NOT EXISTS {audit} (
  id          BINARY(16) NOT NULL PRIMARY KEY,
  happened_at BIGINT,
  action      TEXT       NOT NULL,
  task_id     TEXT       NOT NULL,
  actor       TEXT       NOT NULL,
  remote      TEXT       NOT NULL,
  detail      LONGBLOB -- JSON object
) {options};

CREATE TABLE IF NOT EXISTS {secret} (
  name  VARBINARY(1000) NOT NULL PRIMARY KEY,
  value MEDIUMBLOB      NOT NULL
) {options};
