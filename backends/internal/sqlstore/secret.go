package sqlstore

import "context"

// LoadOrStoreSecret implements [taskflow.SecretStore]. The value is stored as it is: whoever may read the table can read it.
func (s *Store) LoadOrStoreSecret(ctx context.Context, name string, value []byte) (stored []byte, err error) {
	if err := checkName("secret", name); err != nil {
		return nil, s.wrap(ctx, "secret", err)
	}
	if value == nil {
		value = []byte{}
	}
	err = s.write(ctx, "secret", func(o *session, tx Tx) error {
		o.insert(ctx, tx, secretTable, Conflict{Key: []string{"name"}}, []any{[]byte(name), value})
		return o.queryTx(ctx, tx, "SELECT value FROM {secret} WHERE name = ?", []any{[]byte(name)}, func(row Row) error { return row.Scan(&stored) })
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}
