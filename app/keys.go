package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/httpapi"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/suggest"
)

// keyBook gives every feature the keys as it asks for them.
func keyBook() fx.Option {
	return fx.Options(keys.Module(), fx.Provide(
		func(b *keys.Book) httpapi.Keys { return b },
		func(b *keys.Book) suggest.Keys { return b },
		func(b *keys.Book) core.Admission { return b },
		func(b *keys.Book) core.Names { return b },
		func(b *keys.Book) hot.LoadNames { return b.Load },
		func(b *keys.Book) graph.Names { return graph.Names{Texts: b.Texts, Learn: b.Learn} },
	))
}

// bookBeside is the book of keys for a command that runs beside the program.
func bookBeside(cfg config.Config, db *clickhouse.Client) *keys.Book {
	return keys.New(keys.Params{
		Config: cfg.Keys, ClickHouse: db, Clock: core.SystemClock{}, Registry: prometheus.NewRegistry(),
		Log: zap.NewNop(),
	})
}

// keptNames are the names that the feed keeps beside what it caches of viewers.
func keptNames() fx.Option {
	return fx.Provide(func(s *store.Store) keys.Kept { return s.Names })
}
