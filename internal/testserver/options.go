package testserver

// Option changes how a server is started.
type Option func(*config)

type config struct {
	args []string
}

// WithArgs appends to the command line of the server, where the last word counts: "--maxmemory", "1mb" for Redis,
// "-c", "max_connections=5" for PostgreSQL, "--max-connections=5" for MariaDB. Each start uses them. The URL of a Redis server
// carries the password of "--requirepass".
func WithArgs(args ...string) Option {
	return func(c *config) { c.args = append(c.args, args...) }
}
