// Package testserver starts real, private Redis, PostgreSQL and MariaDB servers for tests.
//
//	func TestMain(m *testing.M) { testserver.Main(m) }
//
//	func TestQuery(t *testing.T) {
//		url := testserver.SharedPostgreSQL(t).NewDatabase(t)
//		…
//	}
//
//	func TestOutage(t *testing.T) {
//		server := testserver.Redis(t) // this test's own: it may be killed, paused and started again
//		…
//	}
//
// Each server has a free port of 127.0.0.1 and a temporary folder with its data and sockets; no service that happens to run is
// ever used, and no configuration of the machine is read. Servers end with the test, or with the test binary when they are
// shared; on Linux they die with its process even when that is killed.
//
// The programs must be installed: `make servers` sees to it, `make test` runs that first. A test whose server is missing or
// does not start fails. Who cannot have one says so by name, and its tests are skipped: TASKFLOW_SKIP=redis,postgres,mariadb.
//
// What a server has confirmed survives [Server.Kill]: it was handed to the operating system, which outlives the process. It is
// not forced to the disk, which makes servers fast, so that a crash of the machine may lose it.
package testserver
