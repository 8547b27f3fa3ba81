// Package pgvalue writes PostgreSQL's text form of a value as the JSON that Debezium makes of it
// (decimal.handling.mode=string, otherwise its defaults).
package pgvalue
