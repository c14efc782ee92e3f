package testserver

// Option changes how a server is started.
type Option func(*config)

type config struct {
	args []string
	tls  bool
}

// WithArgs appends to the command line of the server, where the last word counts: "--maxmemory", "1mb" for Redis,
// "-c", "max_connections=5" for PostgreSQL, "--max-connections=5" for MariaDB. Each start uses them. The URL of a Redis server
// carries the password of "--requirepass".
func WithArgs(args ...string) Option {
	return func(c *config) { c.args = append(c.args, args...) }
}

// WithTLS has the server speak TLS with a certificate of its own, in [Server.CAFile]. A Redis server then speaks nothing else
// and has a URL that begins with rediss. The URL of a PostgreSQL server asks for sslmode=verify-full and names the file. That of
// a MariaDB server, which refuses connections without TLS, says tls=skip-verify; to verify, register the certificate with the
// driver.
func WithTLS() Option {
	return func(c *config) { c.tls = true }
}
