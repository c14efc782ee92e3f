// Package sqlstore is what the backends of SQL servers have in common: the statements, in an SQL that several servers
// understand, the form of rows, the bounds of searches, and the life between Open and Close. A backend adds a [Database],
// which is its driver, and a [Dialect], which says how its server differs.
//
// Tables and columns are the same everywhere; tables.go lists them. The schema scripts of the backends give them their types.
package sqlstore
