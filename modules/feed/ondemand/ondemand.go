package ondemand

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

var (
	errTooOld = errors.New("the hot set's engagement is too old")
	errEnough = errors.New("enough requests ask ClickHouse for posts already")
)

// Params are what a provider is made of.
type Params struct {
	Own        *hot.Set // the replica's
	Direct     hot.Direct
	Lists      *published.Lists
	ClickHouse guards.Guard
	Clock      core.Clock
	Window     time.Duration // of the set
	Posts      int           // of a set, by time: those of the viewer's authors and groups
	Groups     bool          // groups are a source
	AtOnce     int           // sets that are asked for
	Provided   prometheus.Counter
}

// Provider provides sets. It is safe for concurrent use.
type Provider struct {
	from  Params
	slots chan struct{} // one for each that is being asked for
}

// New makes it.
func New(p Params) *Provider { return &Provider{from: p, slots: make(chan struct{}, p.AtOnce)} }

// Unavailable says why the replica's hot set should not be used: it is not loaded, or too old.
func (p *Provider) Unavailable() error {
	switch {
	case !p.from.Own.Useful():
		return hot.ErrNotLoaded
	case p.from.Own.Old():
		return errTooOld
	}
	return nil
}

// Set asks ClickHouse for the posts that one page can need: of the viewer's authors and groups, some known
// ones, and the trending posts that the job has published.
func (p *Provider) Set(
	ctx context.Context, viewer *filters.Viewer, authors []reserve.Author, posts []core.ID,
) (set *hot.Set, err error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return nil, errEnough
	}
	now := p.from.Clock.Now()
	wanted := hot.Wanted{
		Since: now.Add(-p.from.Window), Limit: p.from.Posts, Posts: posts, Lists: p.from.Lists.AsHot(),
		Beside: p.from.Own,
	}
	for _, a := range authors {
		if viewer.RejectAuthor(a) == nil && (a.Relation&reserve.Follows != 0 || a.Affinity() > 0) {
			wanted.Authors = append(wanted.Authors, a.ID)
		}
		if p.from.Groups && a.Relation&reserve.MemberOf != 0 {
			wanted.Groups = append(wanted.Groups, a.ID)
		}
	}
	err = p.from.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
		set, err = hot.OnDemand(ctx, p.from.Direct, now, wanted)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !set.Useful():
		return nil, hot.ErrNotLoaded
	}
	p.from.Provided.Inc()
	return set, nil
}
