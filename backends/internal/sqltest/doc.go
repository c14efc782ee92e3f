// Package sqltest is what the tests of the SQL servers' backends share: their records, waiting, and the tests and benchmarks of what they
// promise alike. What backends in general must keep is package backendtest's.
package sqltest
