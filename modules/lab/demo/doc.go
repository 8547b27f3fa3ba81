// Package demo is the guided tour over a running feedrank. It goes through the public interfaces alone: the
// HTTP API, SQL on the app's database, and the switch of a server. Each step is checked by what it
// reads back.
package demo
