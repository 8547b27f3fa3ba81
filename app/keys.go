package app

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/httpapi"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/keys"
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

// keptNames are the names that the feed keeps beside what it caches of viewers.
func keptNames() fx.Option {
	return fx.Provide(func(s *store.Store) keys.Kept { return s.Names })
}
