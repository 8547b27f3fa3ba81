// Package schema is what PostgreSQL says of the app's tables: whether they fit the mapping, and what rows they have.
//
//	check, check_times, check_source   before anything is copied: feedrank check-config, and the first start
//	drift                              the same while copying
//	shape, keys                        a table's columns and its key
//	apptable                           its rows, for what the log does not tell and for comparisons
//	catalog                            what all tables look like, for a mapping to be guessed from
package schema
