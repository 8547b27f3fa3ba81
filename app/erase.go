package app

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/modules/warm"
)

// erased tells the consumers of whom to store nothing.
func erased() fx.Option {
	return fx.Options(erase.Module(), fx.Provide(
		func(l *erase.List) core.Erased { return l },
	))
}

// themselves refuses the tokens of people who are erased: what is computed for them would be kept again. And of those
// whose number is another's: they would get another's feed.
func themselves() fx.Option {
	return fx.Decorate(func(auth httpserver.Authenticator, l *erase.List, b *keys.Book) httpserver.Authenticator {
		return callers{auth, l, b}
	})
}

type callers struct {
	httpserver.Authenticator
	erased *erase.List
	keys   *keys.Book
}

// lookTimeout is what it may take to find out whose a number is.
const lookTimeout = time.Second

// Authenticate implements httpserver.Authenticator.
func (s callers) Authenticate(h http.Header) (httpserver.Principal, error) {
	p, err := s.Authenticator.Authenticate(h)
	switch {
	case err != nil:
		return p, err
	case s.erased.Has(p.UserID):
		return httpserver.Principal{}, core.Errorf(core.CodeForbidden, "this user was erased")
	case !p.UserID.Derived():
		return p, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	if err := s.keys.Check(ctx, p.User()); err != nil {
		return httpserver.Principal{}, err
	}
	return p, nil
}

// withoutErased makes the posts of erased people deleted ones.
func withoutErased(l *erase.List, tell func([]core.Change)) func([]core.Change) {
	return func(changes []core.Change) {
		for i, c := range changes {
			if c.Kind == core.PostPut && l.Has(c.Post.AuthorID) {
				changes[i] = core.Change{
					Kind: core.PostDeleted, Post: core.Post{ID: c.Post.ID},
					CommittedAt: c.CommittedAt,
				}
			}
		}
		tell(changes)
	}
}

// Erase removes people from all that we hold, or goes on where an erasure of theirs ended. An events
// consumer must be running, to recount what their events were counted in.
func Erase(ctx context.Context, cfg config.Config, users []core.Key, options ...erase.Option) (erase.Report, error) {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return erase.Report{}, err
	}
	defer pool.Close()
	tables, err := cfg.CDC.Mapping(cfg.Kafka)
	if err != nil {
		return erase.Report{}, err
	}
	places, err := schema.PeoplePlaces(ctx, pool, tables)
	if err != nil {
		return erase.Report{}, err
	}
	cfg.ClickHouse.QueryTimeout = max(cfg.ClickHouse.QueryTimeout, time.Hour) // whole tables are looked through
	db := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	defer db.Close()
	cache := redis.New(cfg.Redis, core.SystemClock{})
	defer cache.Close()
	if err := checkKeys(ctx, db, cfg, users); err != nil {
		return erase.Report{}, err
	}
	owners := ledger.NewOwners(cfg.Events.Log(), cfg.Events.InsertTimeout, db, core.SystemClock{})
	report, err := erase.New(db, pool, cache, owners, eraseKeys(places), options...).Run(ctx, users)
	if specs, failed := topics(cfg); failed == nil {
		for _, t := range specs {
			report.Topics = append(report.Topics, erase.TopicEnd{Topic: t.Name, Keeps: t.Retention})
		}
	}
	return report, err
}

// checkKeys refuses a key whose number is another's, who would be erased.
func checkKeys(ctx context.Context, db *clickhouse.Client, cfg config.Config, users []core.Key) error {
	book := bookBeside(cfg, db)
	for _, user := range users {
		if err := book.Load(ctx, []core.ID{user.ID}); err != nil {
			return err
		}
		if err := book.Check(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

// eraseKeys are the places in Redis of every feature that keeps something of a user there.
func eraseKeys(places map[string][]int) erase.Keys {
	return erase.Keys{
		Own:      func(user core.ID) []string { return append(store.UserKeys(user), suggest.UserKeys(user)...) },
		Patterns: func(user core.ID) []string { return []string{ratelimit.UserPattern(int64(user))} },
		Lists:    []string{warm.ListKey},
		Sets:     suggest.Patterns,
		Places:   places,
	}
}
