package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/feedrank/feedrank/modules/core"
)

// Viewers are n users of the world, none twice, the same at every run; skip leaves out as many before.
// Requests for path, one each, carry their tokens.
func (on *Stage) Viewers(path string, skip, n int) ([]Request, error) {
	users := rand.New(rand.NewPCG(1, 2)).Perm(on.World.Users) //nolint:gosec // a choice, not a secret
	if skip+n > len(users) {
		return nil, fmt.Errorf("%d users are too few for %d viewers: %w", len(users), skip+n, errEmpty)
	}
	requests := make([]Request, n)
	for i, u := range users[skip : skip+n] {
		token, err := on.Token(core.ID(u) + 1)
		if err != nil {
			return nil, err
		}
		requests[i] = Request{Path: path, Token: token}
	}
	return requests, nil
}

// inTurn asks for one after the other, and begins again after the last.
func inTurn(requests []Request) func(int) Request {
	return func(n int) Request { return requests[n%len(requests)] }
}
