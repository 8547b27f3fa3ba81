// Package page is a page of a feed, and its JSON. It is written by hand (json.go): it is most of what a cached request
// costs, and everything in it is a number, a time or a word of ours.
package page

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

// ServedFrom says where an answer came from.
type ServedFrom string

// The places that an answer comes from, best first.
const (
	FromCache      ServedFrom = "cache"
	FromClickHouse ServedFrom = "clickhouse"
	FromStale      ServedFrom = "stale"
	FromPostgres   ServedFrom = "postgres"
	FromTrending   ServedFrom = "trending"
)

// Page is an answer. Its items are valid as long as the request that it answers.
type Page struct {
	Viewer     core.ID
	Now        time.Time
	Ranking    *rank.Versioned
	Session    cursor.Cursor      // what the page continues; of a first page, what it begins
	Later      bool               // it continues a session
	OrderLost  bool               // the order of the session's first page was lost, and made anew
	ByTime     bool               // it is in the order of time
	Items      []*shortlist.Post  // best first
	Texts      map[core.ID]string // keys of items and authors whose numbers were derived from them
	Next       *cursor.Cursor     // nil: there is no other page
	NewPosts   int                // of followees since a time, where that was asked for
	ServedFrom ServedFrom
	Degraded   bool
	Sources    []stages.Report
	Stages     []stages.Record // those that have ended
	Computing  []stages.Record // of the computation that the reserve stage waited for
}

// Algo names the order.
func (p *Page) Algo() string {
	if p.ByTime {
		return "timeline"
	}
	return "ranked"
}

// Detail is how a page is explained.
type Detail uint8

// The details.
const (
	Plain   Detail = iota
	Words          // in words, where the numbers are not for the client
	Numbers        // with every number behind a score
)
