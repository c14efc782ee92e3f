-- Small values that all instances share.
CREATE TABLE state (
  name  BLOB PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

-- What instances have counted, by stretches of time. The rows are too large for WITHOUT ROWID.
CREATE TABLE series (
  resolution INTEGER NOT NULL,     -- seconds
  start      INTEGER NOT NULL,     -- seconds since 1970, UTC
  instance   BLOB    NOT NULL,
  data       BLOB    NOT NULL,     -- of package core: JSON
  PRIMARY KEY (resolution, start, instance)
);
