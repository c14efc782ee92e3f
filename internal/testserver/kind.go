package testserver

import (
	"context"
	"os"
)

// kind is what differs between the servers.
type kind interface {
	name() string       // as the functions of this package are called
	skipName() string   // in TASKFLOW_SKIP
	accounts() []string // whom it runs as when the tests run as root, best first; none: root will do
	find() (programs, error)

	initialise(ctx context.Context, s *Server) error // creates what the first start needs
	arguments(s *Server) []string                    // of the server program; called for each start
	ready(ctx context.Context, s *Server) error      // nil: it answers
	stopSignal() os.Signal                           // asks for an end in order that does not wait for clients
	dispose(s *Server) error                         // removes what a stopped server leaves outside of its folder

	database() string // the one of Server.URL
	url(s *Server, database string) string
	statements(database string) (create, drop string) // empty: nothing needs to be done
	sql(ctx context.Context, s *Server, statement string) error
}

// programs are the paths of what a kind runs.
type programs struct {
	server string
	setup  string // makes a data folder
	client string // runs SQL
}
