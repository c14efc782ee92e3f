-- A file as version 2 wrote it, with rows; of the unfinished ones one is damaged and one of a newer format. Never changed: the migration must
-- go on reading it.
CREATE TABLE pending (id BLOB PRIMARY KEY, owner TEXT, session TEXT, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE audit (id BLOB PRIMARY KEY, time INTEGER, action TEXT NOT NULL, task_id TEXT NOT NULL, actor TEXT NOT NULL, remote TEXT NOT NULL, detail TEXT) WITHOUT ROWID;
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE name (name_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE history (id BLOB PRIMARY KEY, name_id INTEGER NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL, pool TEXT NOT NULL, priority INTEGER NOT NULL, flags INTEGER NOT NULL, created_at INTEGER, run_at INTEGER, start_time INTEGER, end_time INTEGER, attempts INTEGER NOT NULL, max_retries INTEGER NOT NULL, retry_of TEXT, retried_by TEXT, error TEXT, log_count INTEGER NOT NULL, owner TEXT, tags TEXT, search_id INTEGER) WITHOUT ROWID;
CREATE TABLE detail (id BLOB PRIMARY KEY, stack TEXT, logs TEXT, args BLOB) WITHOUT ROWID;
CREATE TABLE tag (key TEXT NOT NULL, value TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY (key, value, id)) WITHOUT ROWID;
CREATE TABLE search_row (search_id INTEGER PRIMARY KEY, id BLOB NOT NULL);
CREATE TABLE total (status TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL, sum_ns INTEGER NOT NULL, PRIMARY KEY (status, bucket)) WITHOUT ROWID;
CREATE INDEX history_status ON history (status, id, name_id, source);
CREATE INDEX history_name ON history (name_id, id, status, source);
CREATE INDEX history_source ON history (source, id, status, name_id);
CREATE VIRTUAL TABLE search USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'trigram');

INSERT INTO pending VALUES(X'019ab1c2000070008000000000000004','instance1',NULL,'{"task_id":"019ab1c2-0000-7000-8000-000000000004","func_name":"send_email","status":"running","created_at":"2025-11-23T00:00:04Z","start_time":"2025-11-23T00:00:05Z","end_time":null,"duration":null,"retries_used":0,"error":null,"logs":["line"],"stacktrace":null,"tags":{},"source":"manual","priority":0,"executor":"default","closure":false,"run_at":null,"attempts":1,"max_retries":0,"retry_of":null,"retried_by":null,"log_count":1,"args":"bob","requeue":true,"durable":true,"owner":"instance1"}');
INSERT INTO pending VALUES(X'019ab1c2000070008000000000000005',NULL,NULL,'{"task_id":"019ab1c2-0000-7000-8000-000000000005","func_name":"resize","status":"pending","created_at":"2025-11-23T00:00:05Z","start_time":null,"end_time":null,"duration":null,"retries_used":0,"error":null,"logs":[],"stacktrace":null,"tags":{},"source":"scheduled","priority":0,"executor":"cpu","closure":false,"run_at":null,"attempts":0,"max_retries":0,"retry_of":null,"retried_by":null,"log_count":0,"args":{"b":[1,2]},"requeue":true,"durable":true,"owner":null}');
INSERT INTO audit VALUES(X'019ab1c2000070008000000000000006',1763856005000000000,'retry','019ab1c2-0000-7000-8000-000000000002','ann','127.0.0.1','{"n":1}');
INSERT INTO secret VALUES('session',X'00ff10');
INSERT INTO name VALUES(1,'send_email');
INSERT INTO name VALUES(2,'resize');
INSERT INTO history VALUES(X'019ab1c2000070008000000000000001',1,'success','manual','default',0,0,1763856000000000000,NULL,1763856000001000000,1763856000003000000,1,3,NULL,NULL,NULL,0,NULL,NULL,NULL);
INSERT INTO history VALUES(X'019ab1c2000070008000000000000002',2,'failed','retry','cpu',5,6,1763856001000000000,1763856002000000000,1763856002000000000,1763856004000000000,4,3,'019ab1c2-0000-7000-8000-000000000000','019ab1c2-0000-7000-8000-00000000000f','exit status 8: disk on fire',2,'instance1','{"tenant":"acme","urgent":""}',1);
INSERT INTO detail VALUES(X'019ab1c2000070008000000000000001',NULL,NULL,X'22616e6e406578616d706c652e6f726722');
INSERT INTO detail VALUES(X'019ab1c2000070008000000000000002','goroutine 7','["one","two"]',X'7b2261223a317d');
INSERT INTO tag VALUES('tenant','',X'019ab1c2000070008000000000000002');
INSERT INTO tag VALUES('tenant','acme',X'019ab1c2000070008000000000000002');
INSERT INTO tag VALUES('urgent','',X'019ab1c2000070008000000000000002');
INSERT INTO search_row VALUES(1,X'019ab1c2000070008000000000000002');
INSERT INTO total VALUES('failed',151,1,2000000000);
INSERT INTO total VALUES('success',71,1,2000000);
INSERT INTO search (rowid, body) VALUES (1, 'exit status 8: disk on fire' || char(10) || 'acme' || char(10));
INSERT INTO pending VALUES(X'019ab1c2000070008000000000000007',NULL,'an earlier handle','torn');
INSERT INTO pending VALUES(X'019ab1c2000070008000000000000008',NULL,NULL,'{"task_id":"019ab1c2-0000-7000-8000-000000000008","func_name":"resize","status":"pending","format":2}');

PRAGMA application_id = 1953195628;
PRAGMA user_version = 2;
