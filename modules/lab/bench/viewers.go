package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/feedrank/feedrank/modules/core"
)

// Viewers are n users of the world, none twice, the same at every run; skip leaves out as many before.
// Requests for path, one each, carry their tokens.
func (on *Stage) Viewers(path string, skip, n int) ([]Request, error) {
	if skip+n > on.World.Users {
		return nil, fmt.Errorf("%d users are too few for %d viewers: %w", on.World.Users, skip+n, errEmpty)
	}
	requests := make([]Request, n)
	for i, id := range on.viewerIDs(skip, n) {
		token, err := on.Token(id)
		if err != nil {
			return nil, err
		}
		requests[i] = Request{Path: path, Token: token}
	}
	return requests, nil
}

// viewerIDs are the users whose requests Viewers makes.
func (on *Stage) viewerIDs(skip, n int) []core.ID {
	ids := make([]core.ID, n)
	for i, u := range rand.New(rand.NewPCG(1, 2)).Perm(on.World.Users)[skip : skip+n] {
		ids[i] = core.ID(u) + 1
	}
	return ids
}

// inTurn asks for one after the other, and begins again after the last.
func inTurn(requests []Request) func(int) Request {
	return func(n int) Request { return requests[n%len(requests)] }
}
