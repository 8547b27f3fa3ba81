package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

const (
	shownItems = 5
	barWidth   = 24
)

// showRanking shows the best posts of a feed with their three terms.
func (t *tour) showRanking(ctx context.Context) error {
	p, err := t.checked(ctx, t.cast.viewer)
	if err != nil {
		return err
	}
	t.screen.say("The feed of %s, served from %s:", t.screen.paint(bold, t.cast.name(ctx, t.db, t.cast.viewer)),
		p.ServedFrom)
	shown := p.Items[:min(shownItems, len(p.Items))]
	most := 0.0
	for i, it := range shown {
		if it.Explain == nil {
			return fmt.Errorf("place %d is not explained", i+1)
		}
		for _, term := range termsOf(it.Explain) {
			most = max(most, term.weight*term.value)
		}
	}
	for i, it := range shown {
		t.screen.gap()
		t.screen.say("%d. post %s by %s, %s old, score %s %s", i+1, it.Post, t.cast.name(ctx, t.db, it.Author),
			short(time.Since(it.CreatedAt)), t.screen.paint(bold, fmt.Sprintf("%.3f", it.Score)),
			t.screen.paint(dim, "("+it.Source+")"))
		for _, term := range termsOf(it.Explain) {
			weighted := term.weight * term.value
			t.screen.say("   %-10s %s %.3f = %.2f x %.3f  %s", term.name,
				t.screen.paint(term.style, bar(weighted/max(most, 1e-9), barWidth)),
				weighted, term.weight, term.value, t.screen.paint(dim, term.from))
		}
		if err := it.adds(); err != nil {
			return fmt.Errorf("place %d: %w", i+1, err)
		}
	}
	return t.pickTargets(ctx, p)
}

// term is one of the three terms of a score, for the screen.
type term struct {
	name, style   string
	weight, value float64
	from          string // what it is computed from
}

func termsOf(e *core.Explain) []term {
	in := e.Inputs
	return []term{
		{"freshness", green, e.Weights.Freshness, e.Freshness, fmt.Sprintf("%.1f h old", in.AgeHours)},
		{
			"engagement", yellow, e.Weights.Engagement, e.Engagement,
			fmt.Sprintf("%d likes, %d comments, %d shares on %d exposures", in.Likes, in.Comments, in.Shares,
				in.Exposures),
		},
		{
			"affinity", blue, e.Weights.Affinity, e.Affinity,
			fmt.Sprintf("%.1f interactions with the author", in.Interactions),
		},
	}
}

var errScore = errors.New("the terms do not add up to the score")

// adds holds the score against its terms.
func (it *item) adds() error {
	sum := 0.0
	for _, term := range termsOf(it.Explain) {
		sum += term.weight * term.value
	}
	if math.Abs(sum-it.Score) > 1e-6*max(1, math.Abs(sum)) {
		return fmt.Errorf("%w: %.9f and %.9f", errScore, sum, it.Score)
	}
	return nil
}

var errNoTargets = errors.New("the page shows no post of the viewer's friends")

// target is a post that likes are given to.
type target struct{ id, author core.ID }

// pickTargets takes one post of each friend that the page shows, and has people see them. Those that leave the page by
// that, since nobody did anything with them, give way to others.
func (t *tour) pickTargets(ctx context.Context, p *page) error {
	var tried []core.ID
	for {
		t.targets = nil
		for _, friend := range t.cast.friends {
			at := slices.IndexFunc(p.Items, func(it item) bool {
				return it.Author == friend && !slices.Contains(tried, it.Post)
			})
			if at >= 0 {
				t.targets = append(t.targets, target{p.Items[at].Post, friend})
				tried = append(tried, p.Items[at].Post)
			}
		}
		if len(t.targets) == 0 {
			return errNoTargets
		}
		if err := t.beSeen(ctx, p); err != nil || len(t.targets) > 0 {
			return err
		}
	}
}

// audience is how many people see a post before anybody likes it: reactions of a few count nowhere where hardly
// anybody saw the post (ranking.engagement.max_rate and min_people).
const audience = 50

// beSeen waits until the feed knows that the targets were seen, and keeps those that are still on the page.
func (t *tour) beSeen(ctx context.Context, before *page) error {
	for range audience {
		if err := t.client.act(ctx, t.fan(), core.ActionImpression, t.targets...); err != nil {
			return err
		}
	}
	_, err := until(ctx, t.opts.patience.show, lookEvery, func(ctx context.Context) (bool, error) {
		now, err := t.look(ctx)
		if err != nil {
			return false, err
		}
		t.targets = slices.DeleteFunc(t.targets, func(post target) bool { return now.find(post.id) == nil })
		return !slices.ContainsFunc(t.targets, func(post target) bool {
			return now.exposures(post.id) < before.exposures(post.id)+audience
		}), nil
	})
	if err != nil {
		return fmt.Errorf("posts that %d people saw: %w", audience, err)
	}
	return nil
}
