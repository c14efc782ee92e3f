package testserver

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
)

// NewDatabase creates an empty database and returns its URL, in the form of [Server.URL]. It lives as long as the server; on a
// shared PostgreSQL server, where a database takes 8 MB, until the end of the test. Redis has no databases that could be
// created: its URL is returned unchanged, and tests keep apart by key prefixes, or by the numbers (0 to 15) of its databases.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())[:16]
	create, drop := s.kind.statements(name)
	if create != "" {
		if err := s.sql(create); err != nil {
			t.Fatalf("testserver: create a database of %v: %v", s, err)
		}
	}
	if drop != "" && s.tb == nil {
		t.Cleanup(func() {
			if err := s.sql(drop); err != nil {
				t.Errorf("testserver: drop a database of %v: %v", s, err)
			}
		})
	}
	return s.kind.url(s, name)
}

func (s *Server) sql(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return s.kind.sql(ctx, s, statement)
}
