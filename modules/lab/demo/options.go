package demo

import (
	"context"
	"io"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Options of a tour.
type Options struct {
	Once    bool      // end after the tour, with one line of figures; an error if a step did not hold
	Trials  int       // of each latency; 1 to 10000, 0: 20
	Out     io.Writer // a terminal gets colours
	Figures []Figure  // measured by others, to stand in the line as well

	patience patience // zero: the default
}

// Servers switches a server off and on, by its name: clickhouse.
type Servers interface {
	Kill(name string) error
	Restart(ctx context.Context, name string) error
}

// Deps are what the tour goes through.
type Deps struct {
	BaseURL    string                             // of the HTTP API
	HTTP       *http.Client                       // nil: one of its own
	Token      func(user core.ID) (string, error) // a bearer token of that user
	Admin      func() (string, error)             // a bearer token of an operator
	Postgres   *pgxpool.Pool                      // the app's database
	ClickHouse *clickhouse.Client                 // to see when a commit arrives there; nil: not measured
	Servers    Servers                            // nil: nothing is killed
	AskServer  string                             // a command line that asks ClickHouse; empty: none
	Console    func() string                      // a link that logs in to the console once; nil: there is none
	// Environment is what other commands need to find all of this; empty: it is not told.
	Environment []string
	// Life keeps people busy until its context ends, all but those it is given: the tour measures with
	// them. Nil: nobody else does anything.
	Life func(ctx context.Context, except []core.ID) error
}

// Figure is one number of the line that a tour ends with.
type Figure struct {
	Name  string
	Value string
}
