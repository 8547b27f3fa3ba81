package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// showBlock lets the viewer block a friend, and make up again.
func (t *tour) showBlock(ctx context.Context) error {
	p, err := t.look(ctx)
	if err != nil {
		return err
	}
	author, err := t.shownFriend(p)
	if err != nil {
		return err
	}
	if err := t.exec(ctx, "seed_tour_block", t.cast.viewer, author); err != nil {
		return err
	}
	went, err := until(ctx, t.opts.patience.show, lookEvery, func(ctx context.Context) (bool, error) {
		p, err := t.look(ctx)
		return err == nil && len(p.Items) > 0 && !p.by(author), err
	})
	if err == nil {
		_, err = t.checked(ctx, t.cast.viewer)
	}
	if err := errors.Join(err, t.unblock(ctx, author)); err != nil {
		return fmt.Errorf("block user %d: %w", author, err)
	}
	t.note("block_visible_ms", went)
	t.screen.say("INSERT INTO blocks: every post of %s is gone after %s.", t.cast.name(ctx, t.db, author),
		t.screen.paint(cyan, short(went)))
	came, err := until(ctx, t.opts.patience.show, lookEvery, func(ctx context.Context) (bool, error) {
		p, err := t.look(ctx)
		return err == nil && p.by(author), err
	})
	if err != nil {
		return fmt.Errorf("unblock user %d: %w", author, err)
	}
	t.screen.say("DELETE FROM blocks: they are back after %s.", t.screen.paint(cyan, short(came)))
	return nil
}

// shownFriend is the friend who stands first on the page.
func (t *tour) shownFriend(p *page) (core.ID, error) {
	for _, it := range p.Items {
		for _, friend := range t.cast.friends {
			if it.Author == friend {
				return friend, nil
			}
		}
	}
	return 0, errNoTargets
}

func (t *tour) unblock(ctx context.Context, author core.ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return t.exec(ctx, "seed_tour_unblock", t.cast.viewer, author)
}

func (t *tour) exec(ctx context.Context, query string, a, b core.ID) error {
	if _, err := t.db.Exec(ctx, sql.Postgres(query), int64(a), int64(b)); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}
