package sqlite

// maxNames bounds the ids of names that the writer remembers, and the names that a text is looked for in by index.
const maxNames = 10_000

// nameID returns the id of a name, storing it when it is new. Most histories have a few dozen names, so that a number in
// place of the text halves the indexes; the text of a search is looked for in the names, not in the records.
func (s *saver) nameID(name string) (int64, error) {
	if id, ok := s.c.names[name]; ok {
		return id, nil
	}
	id, ok, err := s.c.number(s.ctx, "SELECT name_id FROM name WHERE name = ?", name)
	if err == nil && !ok {
		_, id, err = s.c.exec(s.ctx, "INSERT INTO name (name) VALUES (?)", name)
	}
	if err == nil {
		s.c.names[name] = id
	}
	return id, err
}
