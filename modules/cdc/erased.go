package cdc

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Erased are the people of whom nothing is stored any more. The copies refuse rows that name one of them
// (0005_erasure.sql), so knowing them late costs a repetition, and never lets one through.
type Erased interface {
	// Has tells whether somebody is erased, as far as is known here.
	Has(user core.ID) bool
	// Refresh learns of everybody who is erased by now.
	Refresh(ctx context.Context) error
}

// nobodyErased stands in where nobody can be.
type nobodyErased struct{}

func (nobodyErased) Has(core.ID) bool { return false }

func (nobodyErased) Refresh(context.Context) error { return nil }

// namesErased tells whether one of these people is erased.
func namesErased(erased Erased, people []int64) bool {
	return slices.ContainsFunc(people, func(id int64) bool { return erased.Has(core.ID(id)) })
}

// names tells whether a change names somebody who is erased, in its columns or in its key.
func (a *applier) names(e entry) bool { return namesErased(a.erased, e.source.People(e.row, e.key)) }

// leaveOut takes what an entry says of erased people out of it; false: nothing is left to apply. What we
// have of them is not touched: it is removed as a whole. A row of somebody else that now names one of them
// is gone for us.
func (a *applier) leaveOut(f *fold, e entry) (entry, bool) {
	named := a.names(e)
	old, known := f.rows[copyKey(e.source.Kind, e.row)]
	switch {
	case known && namesErased(a.erased, e.source.Kind.People(old.Row)), named && !known:
		a.metrics.erased.WithLabelValues(a.table).Inc()
		return e, false
	case named:
		a.metrics.erased.WithLabelValues(a.table).Inc()
		e.delete, e.row.Gone = true, true
		e.row.First, e.row.Other = 0, 0
	}
	return e, true
}

// PeoplePlaces tells, for each kind whose rows join two things, in which places of a row's key its people
// stand, counted from 1: of the people in the order of the kind's fields; 0 where one is no part of the key.
func PeoplePlaces(ctx context.Context, cfg Config, k kafka.Config, pool *pgxpool.Pool) (map[string][]int, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	all := map[string][]int{}
	for _, kind := range mapping.Kinds() {
		s := m.Of(kind)
		if s == nil || kind.Layout().ByID {
			continue
		}
		t, err := liveColumns(ctx, pool, s.Table)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", s.Table, err)
		}
		for _, column := range s.PeopleColumns() {
			all[kind.String()] = append(all[kind.String()], slices.Index(t.keyedAs(s).sortedKey(), column)+1)
		}
	}
	return all, nil
}
