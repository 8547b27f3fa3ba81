// Package propose guesses a mapping from what a database says of its tables: their names, columns, types, keys and
// foreign keys. It asks nobody; schema.ReadCatalog does.
//
//	names    the words that tables and columns go by
//	columns  which column is the author, the time, the post of a row
//	try      a table as a kind, or why it cannot be one
//	propose  the best table for each kind, with the reasons
//	ask      what only the app knows
//	write    the proposal as a configuration file
package propose
