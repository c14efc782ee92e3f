-- Small values that all instances share.
CREATE TABLE {state} (
  name  bytea PRIMARY KEY,
  value bytea NOT NULL
);

-- What instances have counted, by stretches of time. Both are in seconds, the second since 1970.
CREATE TABLE {series} (
  resolution bigint NOT NULL,
  begins_at  bigint NOT NULL,
  instance   bytea  NOT NULL,
  data       bytea  NOT NULL, -- of package core: JSON
  PRIMARY KEY (resolution, begins_at, instance)
);
