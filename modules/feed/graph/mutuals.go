package graph

import (
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// withMutuals adds which of the viewer's followees follow the viewer back. Only of followees it is asked: who is
// followed by a million has a million followers, and mutuals among a few.
func withMutuals(edges []reserve.Author, following func(followees []core.ID) ([]core.ID, error)) ([]reserve.Author,
	error,
) {
	var followees []core.ID
	for _, e := range edges {
		if e.Relation&reserve.Follows != 0 {
			followees = append(followees, e.ID)
		}
	}
	if len(followees) == 0 {
		return edges, nil
	}
	back, err := following(followees)
	if err != nil {
		return nil, err
	}
	edges = slices.Grow(edges, len(back))
	for _, id := range back {
		edges = append(edges, reserve.Author{ID: id, Relation: reserve.FollowsBack})
	}
	return edges, nil
}
