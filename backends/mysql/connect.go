package mysql

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	connectTimeout = 10 * time.Second // the default of the parameter timeout: the driver has none
	// maxLifetime closes connections before servers and proxies do, which do not say so.
	maxLifetime = 10 * time.Minute
	leastPool   = 4
)

// connector makes a pool, which connects when it is used.
func (b *Backend) connector(dsn string, cfg config) (*sql.DB, error) {
	c, err := parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, err)
	}
	target := c.Addr + "/" + c.DBName
	b.target.Store(&target)
	c.InterpolateParams = true    // one round trip for a statement in place of two or three
	c.Logger = &mysql.NopLogger{} // what it would write to the standard error comes back as an error too
	if c.Timeout == 0 {
		c.Timeout = connectTimeout
	}
	if !strings.Contains(dsn, "maxAllowedPacket") {
		c.MaxAllowedPacket = 0 // as the server says
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params["autocommit"] = "1" // without it a connection goes on seeing what it saw first
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, err)
	}
	db := sql.OpenDB(connector)
	size := cfg.PoolSize
	if size == 0 {
		size = max(leastPool, runtime.NumCPU())
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(maxLifetime)
	return db, nil
}

// parse reads a data source name or a URL. Its errors do not show the password.
func parse(dsn string) (c *mysql.Config, err error) {
	switch {
	case dsn == "":
		return nil, errors.New("the data source name is empty: give one like user:password@tcp(host:3306)/database")
	case strings.HasPrefix(dsn, "mysql://"), strings.HasPrefix(dsn, "mariadb://"):
		c, err = parseURL(dsn)
	case strings.Contains(dsn, "://"):
		scheme, _, _ := strings.Cut(dsn, "://")
		return nil, fmt.Errorf("the scheme %q is not mysql", scheme)
	default:
		c, err = mysql.ParseDSN(dsn)
	}
	if err != nil {
		return nil, fmt.Errorf("the data source name cannot be read: %w", err)
	}
	if c.DBName == "" {
		return nil, errors.New("the data source name says no database: user:password@tcp(host:3306)/database")
	}
	return c, nil
}

func parseURL(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address, which has the password
		}
		return nil, err
	}
	c, err := mysql.ParseDSN("/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	c.User, c.DBName = u.User.Username(), strings.TrimPrefix(u.Path, "/")
	c.Passwd, _ = u.User.Password()
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	c.Net, c.Addr = "tcp", net.JoinHostPort(u.Hostname(), port)
	return c, nil
}
