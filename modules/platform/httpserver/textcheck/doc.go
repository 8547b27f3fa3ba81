// Package textcheck tells text from what the servers do not take as text.
//
// Text of clients ends up in PostgreSQL, whose text and jsonb take neither a NUL nor what is no UTF-8. The HTTP
// server refuses it: paths and bodies before a handler, parameters by NewQuery, and the subject of a token.
package textcheck
