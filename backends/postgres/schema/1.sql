CREATE TABLE {meta} (
  name  text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL
);

-- Finished tasks. Times are nanoseconds since 1970, UTC; NULL: none. JSON is stored as bytes, as it is.
CREATE TABLE {history} (
  id          uuid   NOT NULL, -- their order is the order of adding
  name        text   COLLATE "C" NOT NULL,
  status      text   COLLATE "C" NOT NULL,
  source      text   COLLATE "C" NOT NULL,
  pool        text   COLLATE "C" NOT NULL,
  priority    bigint NOT NULL,
  flags       bigint NOT NULL, -- 1: closure, 2: requeue, 4: durable
  created_at  bigint,
  run_at      bigint,
  start_time  bigint,
  end_time    bigint,
  attempts    bigint NOT NULL,
  max_retries bigint NOT NULL,
  crashes     bigint NOT NULL,
  log_count   bigint NOT NULL,
  retry_of    text   COLLATE "C",
  retried_by  text   COLLATE "C",
  error       text   COLLATE "C",
  task_key    bytea,           -- idempotency key
  tags        bytea,           -- JSON object
  search      bytea  NOT NULL, -- name, error and values of tags in lower case, with zero bytes between them
  owner       text   COLLATE "C",
  PRIMARY KEY (id)
);
-- NULLS LAST is an order that the primary key does not have: a search that asks for it is answered by these.
CREATE INDEX {history_status} ON {history} (status, id DESC NULLS LAST);
CREATE INDEX {history_name} ON {history} (name, id DESC NULLS LAST);
CREATE INDEX {history_source} ON {history} (source, id DESC NULLS LAST);

-- What can be large, apart, so that listings do not read over it.
CREATE TABLE {detail} (
  id    uuid NOT NULL PRIMARY KEY,
  stack bytea,
  logs  bytea, -- JSON array
  args  bytea  -- JSON
);

-- The tags of finished tasks.
CREATE TABLE {tag} (
  id        uuid NOT NULL,
  tag_key   text COLLATE "C" NOT NULL,
  tag_value text COLLATE "C" NOT NULL,
  PRIMARY KEY (id, tag_key)
);
CREATE INDEX {tag_key} ON {tag} (tag_key, id DESC NULLS LAST);
CREATE INDEX {tag_value} ON {tag} (tag_key, tag_value, id DESC NULLS LAST);

-- Totals of the history by status and bucket of duration (-1: it has no duration that counts), in parts that are to be added up.
CREATE TABLE {total} (
  shard  bigint  NOT NULL,
  status text    COLLATE "C" NOT NULL,
  bucket bigint  NOT NULL,
  tasks  bigint  NOT NULL,
  sum_us numeric NOT NULL,
  PRIMARY KEY (shard, status, bucket)
) WITH (fillfactor = 50);

-- Unfinished tasks: the columns of the history, and some more. Pages are left half empty: then a row that changes, as most do once, stays in
-- its page, and no index has to be told.
CREATE TABLE {pending} (
  id          uuid   NOT NULL,
  name        text   COLLATE "C" NOT NULL,
  status      text   COLLATE "C" NOT NULL,
  source      text   COLLATE "C" NOT NULL,
  pool        text   COLLATE "C" NOT NULL,
  priority    bigint NOT NULL,
  flags       bigint NOT NULL,
  created_at  bigint,
  run_at      bigint,
  start_time  bigint,
  end_time    bigint,
  attempts    bigint NOT NULL,
  max_retries bigint NOT NULL,
  crashes     bigint NOT NULL,
  log_count   bigint NOT NULL,
  retry_of    text   COLLATE "C",
  retried_by  text   COLLATE "C",
  error       text   COLLATE "C",
  task_key    bytea,
  tags        bytea,
  search      bytea  NOT NULL,
  owner       text   COLLATE "C", -- the instance that holds the task; NULL: nobody, it can be claimed
  marks       bytea,              -- tags, in the form in which they are searched
  stack       bytea,
  logs        bytea,
  args        bytea,
  format      bigint NOT NULL,    -- of the record; who knows only lower ones does not claim it
  session     text   COLLATE "C", -- the opened handle whose SavePending wrote it; NULL: the journal did, or it was claimed
  PRIMARY KEY (id)
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.1);
CREATE INDEX {pending_owner} ON {pending} (owner, id);

-- Running managers and their leases, in nanoseconds since 1970 by the clock of this server.
CREATE TABLE {instance} (
  id         text   COLLATE "C" PRIMARY KEY,
  seen_at    bigint NOT NULL,
  expires_at bigint NOT NULL,
  info       bytea  NOT NULL -- JSON object
) WITH (fillfactor = 50);

-- Idempotency keys.
CREATE TABLE {key} (
  name       bytea  PRIMARY KEY,
  task_id    uuid   NOT NULL,
  owner      text   COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX {key_expires} ON {key} (expires_at);

-- The last slot of each schedule, in microseconds since 1970.
CREATE TABLE {slot} (
  schedule bytea  PRIMARY KEY,
  slot     bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE {message} (
  number    bigint PRIMARY KEY,
  posted_at bigint NOT NULL,
  body      bytea  NOT NULL
);

CREATE TABLE {audit} (
  id          uuid PRIMARY KEY,
  happened_at bigint,
  action      text NOT NULL,
  task_id     text NOT NULL,
  actor       text NOT NULL,
  remote      text NOT NULL,
  detail      bytea -- JSON object
);

CREATE TABLE {secret} (
  name  bytea PRIMARY KEY,
  value bytea NOT NULL
);
