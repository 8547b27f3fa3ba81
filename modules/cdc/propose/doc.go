// Package propose guesses a mapping from what a database says of its tables: their names, columns, types, keys and
// foreign keys. It asks nobody; schema.ReadCatalog does.
//
//	names    the words that tables and columns go by
//	columns  which column is the author, the time, the post of a row
//	propose  a table for each kind, with the reasons
//	write    the proposal as a configuration file
package propose
