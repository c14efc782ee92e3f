-- A file as version 1 wrote it, with rows. Never changed: the migration must go on reading it.
CREATE TABLE history (
  id BLOB PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL, pool TEXT NOT NULL, priority INTEGER NOT NULL,
  flags INTEGER NOT NULL, created_at INTEGER, run_at INTEGER, start_time INTEGER, end_time INTEGER, attempts INTEGER NOT NULL,
  max_retries INTEGER NOT NULL, retry_of TEXT, error TEXT, log_count INTEGER NOT NULL, owner TEXT, tags TEXT, stack TEXT, logs TEXT, args BLOB
) WITHOUT ROWID;
CREATE TABLE pending (id BLOB PRIMARY KEY, owner TEXT, session TEXT, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE audit (
  id BLOB PRIMARY KEY, time INTEGER, action TEXT NOT NULL, task_id TEXT NOT NULL, actor TEXT NOT NULL, remote TEXT NOT NULL, detail TEXT
) WITHOUT ROWID;
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

INSERT INTO history VALUES
  (x'019ab1c2000070008000000000000001', 'send_email', 'success', 'manual', 'default', 0, 0, 1763856000000000000, NULL,
   1763856000001000000, 1763856000003000000, 1, 3, NULL, NULL, 0, NULL, NULL, NULL, NULL, x'22616e6e406578616d706c652e6f726722'),
  (x'019ab1c2000070008000000000000002', 'resize', 'failed', 'retry', 'cpu', 5, 6, 1763856001000000000, 1763856002000000000,
   1763856002000000000, 1763856004000000000, 4, 3, '019ab1c2-0000-7000-8000-000000000000', 'exit status 8: disk on fire', 2, 'instance1',
   '{"tenant":"acme","urgent":""}', 'goroutine 7', '["one","two"]', x'7b2261223a317d'),
  (x'019ab1c2000070008000000000000003', 'main.go:12', 'cancelled', 'manual', 'default', 0, 1, 1763856003000000000, NULL,
   NULL, NULL, 0, 0, NULL, 'taskflow: queue is full', 0, NULL, 'not JSON', NULL, NULL, NULL);
INSERT INTO pending VALUES
  (x'019ab1c2000070008000000000000004', 'instance1', NULL,
   '{"task_id":"019ab1c2-0000-7000-8000-000000000004","func_name":"send_email","status":"pending","source":"manual","executor":"default","created_at":"2025-11-23T00:00:04Z","args":"bob","requeue":true,"durable":true}'),
  (x'019ab1c2000070008000000000000005', NULL, NULL, 'torn');
INSERT INTO audit VALUES
  (x'019ab1c2000070008000000000000006', 1763856005000000000, 'retry', '019ab1c2-0000-7000-8000-000000000002', 'ann', '127.0.0.1', '{"n":1}');
INSERT INTO secret VALUES ('session', x'00ff10');

PRAGMA application_id = 1953195628;
PRAGMA user_version = 1;
