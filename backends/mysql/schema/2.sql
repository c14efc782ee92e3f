-- Small values that all instances share.
CREATE TABLE IF NOT EXISTS {state} (
  name  VARBINARY(255) NOT NULL PRIMARY KEY,
  value MEDIUMBLOB     NOT NULL
) {options};

-- What instances have counted, by stretches of time. Both are in seconds, the second since 1970.
CREATE TABLE IF NOT EXISTS {series} (
  resolution BIGINT         NOT NULL,
  begins_at  BIGINT         NOT NULL,
  instance   VARBINARY(255) NOT NULL,
  data       MEDIUMBLOB     NOT NULL, -- of package core: JSON
  PRIMARY KEY (resolution, begins_at, instance)
) {options};
