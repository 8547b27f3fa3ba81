package schema

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// PeoplePlaces tells, for each kind whose rows join two things, in which places of a row's key its people
// stand, counted from 1: of the people in the order of the kind's fields; 0 where one is no part of the key.
func PeoplePlaces(ctx context.Context, pool *pgxpool.Pool, m *mapping.Mapping) (map[string][]int, error) {
	all := map[string][]int{}
	for _, kind := range mapping.Kinds() {
		s := m.Of(kind)
		if s == nil || kind.Layout().ByID {
			continue
		}
		t, err := readShape(ctx, pool, s.Table)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", s.Table, err)
		}
		for _, column := range s.PeopleColumns() {
			all[kind.String()] = append(all[kind.String()], slices.Index(t.keyedAs(s).sortedKey(), column)+1)
		}
	}
	return all, nil
}
