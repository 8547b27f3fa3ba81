// Package postgres is the client of PostgreSQL: the app's own database, which we read, and our
// schema in it.
package postgres
