package viewer

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Signals takes over what viewers do: it keeps what they saw and hid, and tells their cache entries
// of what they changed. It runs where the consumers run; the feed reads what it writes in Redis.
type Signals struct {
	store   *store.Store
	mutuals bool // it matters who follows a viewer
	written *prometheus.CounterVec
	lost    *prometheus.CounterVec
}

// NewSignals makes it.
func NewSignals(s *store.Store, reg prometheus.Registerer) *Signals {
	written := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_feed_signals_total", Help: "Signals of viewers written to Redis, by kind: seen, hidden, patch.",
	}, []string{"kind"})
	lost := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_feed_signals_lost_total",
		Help: "Users in a batch whose signals could not be written to Redis, though it was tried for feed.store.write_for, by kind; hidden ones are written later.",
	}, []string{"kind"})
	reg.MustRegister(written, lost, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_hides_owed",
		Help: "Hides that Redis has not taken yet. They are written as soon as it does.",
	}, func() float64 { return float64(s.Owed()) }))
	for _, kind := range []string{"seen", "hidden", "patch"} {
		lost.WithLabelValues(kind)
	}
	return &Signals{store: s, written: written, lost: lost}
}

// WithMutuals has entries told, too, of followers whom a viewer has lost. Of those whom they gained, each replica
// hears: who is followed by many would have no entry that is fresh.
func (s *Signals) WithMutuals(on bool) *Signals {
	s.mutuals = on
	return s
}

// wrote counts what became of a write of n signals.
func (s *Signals) wrote(kind string, n int, err error) error {
	var lost *store.LostError
	if errors.As(err, &lost) {
		s.lost.WithLabelValues(kind).Add(float64(lost.Users))
		return err
	}
	s.written.WithLabelValues(kind).Add(float64(n))
	return err
}

// Observe records posts that were seen (impression, view), hidden (hide, not_interested) and hidden no more. The same
// event again changes nothing.
func (s *Signals) Observe(ctx context.Context, events []core.Event) error {
	var seen, hidden []store.Mark
	patches := map[core.ID][]reserve.Patch{}
	for i := range events {
		e := &events[i]
		mark := store.Mark{User: e.UserID, Post: e.PostID, At: e.ReceivedAt}
		switch e.Action {
		case core.ActionImpression, core.ActionView:
			seen = append(seen, mark)
		case core.ActionHide, core.ActionNotInterested, core.ActionUnhide:
			back := e.Action == core.ActionUnhide
			hidden = append(hidden, hiddenMark(e.UserID, e.PostID, e.StateAt(), back))
			if e.AuthorID.Valid() && e.AuthorID != e.UserID && !e.Repeated {
				kind := reserve.PatchLess
				if back {
					kind = reserve.PatchMore
				}
				patches[e.UserID] = append(patches[e.UserID], reserve.Patch{Kind: kind, Other: e.AuthorID})
			}
		case core.ActionClick, core.ActionLike, core.ActionUnlike, core.ActionComment, core.ActionShare,
			core.ActionDwell:
		}
	}
	return errors.Join( // hidden first: what was seen matters for a day only
		s.wrote("hidden", len(hidden), s.store.MarkHidden(ctx, hidden)),
		s.wrote("patch", len(patches), s.store.Patch(ctx, patches)),
		s.wrote("seen", len(seen), s.store.MarkSeen(ctx, seen)))
}

// Changed tells the entries of viewers of their own changes, and of who blocks them. A cleared table
// drops all entries.
func (s *Signals) Changed(ctx context.Context, changes []core.Change) error {
	patches := map[core.ID][]reserve.Patch{}
	patch := func(viewer core.ID, kind reserve.PatchKind, other core.ID) {
		if viewer.Valid() && other.Valid() {
			patches[viewer] = append(patches[viewer], reserve.Patch{Kind: kind, Other: other})
		}
	}
	cleared := false
	for i := range changes {
		c := &changes[i]
		if kind := reserve.PatchOf(c.Kind); kind != 0 {
			patch(c.Viewer, kind, c.Other)
		}
		switch c.Kind {
		case core.Unfollowed:
			if s.mutuals {
				patch(c.Other, reserve.PatchUnfollowedBack, c.Viewer)
			}
		case core.Blocked:
			patch(c.Other, reserve.PatchBlockedBy, c.Viewer)
		case core.Unblocked:
			patch(c.Other, reserve.PatchUnblockedBy, c.Viewer)
		case core.Followed, core.Muted, core.Unmuted, core.JoinedGroup, core.LeftGroup, core.HidPost, core.UnhidPost:
		case core.TableCleared:
			cleared = true
		case core.PostPut, core.PostDeleted, core.PostUnclear, core.TableReread, core.UserGone, core.UserBack,
			core.UserUnclear:
			// posts reach cached feeds from the hot set
		}
	}
	err := s.wrote("patch", len(patches), s.store.Patch(ctx, patches))
	if cleared {
		_, dropErr := s.store.DropAll(ctx)
		err = errors.Join(err, dropErr)
	}
	return err
}
