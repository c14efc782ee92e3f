package cli

import (
	"log/slog"
	"net/url"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/backends/postgres"
	"github.com/taskflow-go/taskflow/backends/redis"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// openers are the backends of this build.
func openers() map[backendurl.Kind]opener {
	return map[backendurl.Kind]opener{
		backendurl.SQLite: func(u backendurl.URL, log *slog.Logger, _ bool) (storage, error) {
			return sqlite.Open(u.Path(), sqlite.Logger(log)), nil
		},
		backendurl.Redis:    openRedis,
		backendurl.Postgres: openPostgres,
		backendurl.MySQL:    openMySQL,
	}
}

func openRedis(u backendurl.URL, log *slog.Logger, existing bool) (storage, error) {
	server, own, err := split(u, "prefix")
	if err != nil {
		return nil, err
	}
	opts := []redis.Option{redis.Logger(log)}
	if existing {
		opts = append(opts, redis.ExistingOnly())
	}
	if prefix := own["prefix"]; prefix != "" {
		opts = append(opts, redis.Prefix(prefix))
	}
	return redis.Open(server.String(), opts...), nil
}

func openPostgres(u backendurl.URL, log *slog.Logger, existing bool) (storage, error) {
	server, own, err := split(u, "prefix", "schema")
	if err != nil {
		return nil, err
	}
	opts := []postgres.Option{postgres.Logger(log)}
	if existing {
		opts = append(opts, postgres.ExistingOnly())
	}
	if prefix := own["prefix"]; prefix != "" {
		opts = append(opts, postgres.Prefix(prefix))
	}
	if schema := own["schema"]; schema != "" {
		opts = append(opts, postgres.Schema(schema))
	}
	return postgres.Open(server.String(), opts...), nil
}

func openMySQL(u backendurl.URL, log *slog.Logger, existing bool) (storage, error) {
	server, own, err := split(u, "prefix", "socket")
	if err != nil {
		return nil, err
	}
	opts := []mysql.Option{mysql.Logger(log)}
	if existing {
		opts = append(opts, mysql.ExistingOnly())
	}
	if prefix := own["prefix"]; prefix != "" {
		opts = append(opts, mysql.Prefix(prefix))
	}
	if socket := own["socket"]; socket != "" {
		dsn, err := socketDSN(server, socket)
		if err != nil {
			return nil, err
		}
		return mysql.Open(dsn, opts...), nil
	}
	server.Scheme = "mysql"
	return mysql.Open(server.String(), opts...), nil
}

// socketDSN is a URL as the driver wants it, which has no URLs for sockets.
func socketDSN(server *url.URL, socket string) (string, error) {
	c, err := driver.ParseDSN("/?" + server.RawQuery)
	if err != nil {
		return "", err
	}
	c.User, c.DBName, c.Net, c.Addr = server.User.Username(), strings.Trim(server.Path, "/"), "unix", socket
	c.Passwd, _ = server.User.Password()
	return c.FormatDSN(), nil
}

// split takes the parameters out of a URL that are options of our backends. The others are the driver's.
func split(u backendurl.URL, names ...string) (server *url.URL, own map[string]string, err error) {
	if server, err = url.Parse(u.Server()); err != nil {
		return nil, nil, err // never: backendurl has read it
	}
	own = map[string]string{}
	q := server.Query()
	for _, name := range names {
		own[name] = q.Get(name)
		q.Del(name)
	}
	server.RawQuery = q.Encode()
	return server, own, nil
}
