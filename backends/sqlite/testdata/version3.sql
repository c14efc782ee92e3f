-- A file as version 3 wrote it, with rows; its process has died. Never changed: the migration must go on reading it.
CREATE TABLE audit (id BLOB PRIMARY KEY, time INTEGER, action TEXT NOT NULL, task_id TEXT NOT NULL, actor TEXT NOT NULL, remote TEXT NOT NULL, detail TEXT) WITHOUT ROWID;
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE name (name_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE history (id BLOB PRIMARY KEY, name_id INTEGER NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL, pool TEXT NOT NULL, priority INTEGER NOT NULL, flags INTEGER NOT NULL, created_at INTEGER, run_at INTEGER, start_time INTEGER, end_time INTEGER, attempts INTEGER NOT NULL, max_retries INTEGER NOT NULL, retry_of TEXT, retried_by TEXT, error TEXT, log_count INTEGER NOT NULL, owner TEXT, tags TEXT, search_id INTEGER, idempotency_key TEXT, crashes INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX history_status ON history (status, id, name_id, source);
CREATE INDEX history_name ON history (name_id, id, status, source);
CREATE INDEX history_source ON history (source, id, status, name_id);
CREATE TABLE detail (id BLOB PRIMARY KEY, stack TEXT, logs TEXT, args BLOB) WITHOUT ROWID;
CREATE TABLE tag (key TEXT NOT NULL, value TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY (key, value, id)) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'trigram');
CREATE TABLE search_row (search_id INTEGER PRIMARY KEY, id BLOB NOT NULL);
CREATE TABLE total (status TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL, sum_ns INTEGER NOT NULL, PRIMARY KEY (status, bucket)) WITHOUT ROWID;
CREATE TABLE pending (id BLOB PRIMARY KEY, owner TEXT, session TEXT, name TEXT NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL, format INTEGER NOT NULL, record TEXT NOT NULL, stack TEXT, logs TEXT, args BLOB) WITHOUT ROWID;
CREATE INDEX pending_free ON pending (name, id, format) WHERE owner IS NULL;
CREATE TABLE holder (owner TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE instance (id TEXT PRIMARY KEY, seen INTEGER NOT NULL, begun INTEGER NOT NULL, lasts INTEGER NOT NULL, locked INTEGER NOT NULL, description TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE idempotency_key (key BLOB PRIMARY KEY, task_id BLOB NOT NULL, owner TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX idempotency_key_expires ON idempotency_key (expires);
CREATE TABLE slot (schedule TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE message (number INTEGER PRIMARY KEY, posted INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX message_posted ON message (posted);

INSERT INTO name VALUES(1,'resize');
INSERT INTO history VALUES(X'019ab1c2000070008000000000000002',1,'failed','retry','cpu',5,6,1763856001000000000,1763856002000000000,1763856002000000000,1763856004000000000,4,3,NULL,NULL,'disk on fire',0,'instance1','{"tenant":"acme"}',1,'order 1',2);
INSERT INTO tag VALUES('tenant','',X'019ab1c2000070008000000000000002');
INSERT INTO tag VALUES('tenant','acme',X'019ab1c2000070008000000000000002');
INSERT INTO search_row VALUES(1,X'019ab1c2000070008000000000000002');
INSERT INTO search (rowid, body) VALUES (1, 'disk on fire' || char(10) || 'acme');
INSERT INTO total VALUES('failed',151,1,2000000000);
INSERT INTO holder VALUES('instance1');
INSERT INTO instance VALUES('instance1',1763856005000000,1,15000000000,0,'{"instance_id":"instance1"}');
INSERT INTO pending VALUES(X'019ab1c2000070008000000000000004','instance1',NULL,'resize','running','manual',1,'{"task_id":"019ab1c2-0000-7000-8000-000000000004","func_name":"resize","status":"running","created_at":"2025-11-23T00:00:04Z","start_time":"2025-11-23T00:00:05Z","source":"manual","executor":"cpu","attempts":1,"requeue":true,"durable":true,"owner":"instance1"}',NULL,NULL,X'22626f6222');
INSERT INTO secret VALUES('session',X'00ff10');
INSERT INTO slot VALUES('nightly',1763856000000000);
INSERT INTO message VALUES(7,1763856005000000,X'6869');

PRAGMA application_id = 1953195628;
PRAGMA user_version = 3;
