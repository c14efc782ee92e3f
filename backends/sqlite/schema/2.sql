ALTER TABLE history RENAME TO history_1;

CREATE TABLE name (
  name_id INTEGER PRIMARY KEY,
  name    TEXT    NOT NULL UNIQUE
);

CREATE TABLE history (
  id          BLOB    PRIMARY KEY, -- the 16 bytes of the UUID: their order is the order of adding
  name_id     INTEGER NOT NULL,
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
  retried_by  TEXT,
  error       TEXT,
  log_count   INTEGER NOT NULL,
  owner       TEXT,
  tags        TEXT,                -- JSON object
  search_id   INTEGER              -- of its row in search and search_row; NULL: neither error nor tags
) WITHOUT ROWID;

-- Each begins with what is asked for, then the order of pages, then what the other two filters need.
CREATE INDEX history_status ON history (status, id, name_id, source);
CREATE INDEX history_name ON history (name_id, id, status, source);
CREATE INDEX history_source ON history (source, id, status, name_id);

-- What can be large, apart, so that listings do not read over it.
CREATE TABLE detail (
  id    BLOB PRIMARY KEY,
  stack TEXT,
  logs  TEXT,                      -- JSON array
  args  BLOB
) WITHOUT ROWID;

-- For each tag of a record: a row with its value, and one with an empty value that stands for the key alone.
CREATE TABLE tag (
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  id    BLOB NOT NULL,
  PRIMARY KEY (key, value, id)
) WITHOUT ROWID;

-- Substrings of errors and tag values.
CREATE VIRTUAL TABLE search USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'trigram');
CREATE TABLE search_row (
  search_id INTEGER PRIMARY KEY,
  id        BLOB NOT NULL
);

-- Totals of the history by status and bucket of duration (-1: it has no duration that counts).
CREATE TABLE total (
  status TEXT    NOT NULL,
  bucket INTEGER NOT NULL,
  count  INTEGER NOT NULL,
  sum_ns INTEGER NOT NULL,
  PRIMARY KEY (status, bucket)
) WITHOUT ROWID;

INSERT INTO name (name) SELECT DISTINCT name FROM history_1;

INSERT INTO history
SELECT h.id, n.name_id, h.status, h.source, h.pool, h.priority, h.flags, h.created_at, h.run_at, h.start_time, h.end_time,
       h.attempts, h.max_retries, h.retry_of, NULL, h.error, h.log_count, h.owner, h.tags,
       CASE WHEN h.error IS NOT NULL OR h.tags IS NOT NULL THEN row_number() OVER (ORDER BY h.id) END
FROM history_1 h JOIN name n USING (name);

INSERT INTO detail
SELECT id, stack, logs, args FROM history_1 WHERE coalesce(stack, logs, args) IS NOT NULL;

INSERT OR IGNORE INTO tag
SELECT j.key, j.value, h.id FROM history_1 h, json_each(iif(json_valid(h.tags), h.tags, '{}')) j
UNION ALL
SELECT j.key, '', h.id FROM history_1 h, json_each(iif(json_valid(h.tags), h.tags, '{}')) j;

INSERT INTO search_row SELECT search_id, id FROM history WHERE search_id IS NOT NULL;

INSERT INTO search (rowid, body)
SELECT search_id, concat_ws(char(10), error,
       (SELECT group_concat(j.value, char(10)) FROM json_each(iif(json_valid(h.tags), h.tags, '{}')) j))
FROM history h WHERE search_id IS NOT NULL;

DROP TABLE history_1;
