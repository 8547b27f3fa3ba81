package harness

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
)

// Paths that several benches ask for.
const (
	FeedPath   = "/api/v1/feed"
	EventsPath = "/api/v1/events"
)

// Viewers are n users of the world, none twice, the same at every run; skip leaves out as many before.
// Requests for path, one each, carry their tokens.
func (on *Environment) Viewers(path string, skip, n int) ([]Request, error) {
	if skip+n > on.World.Users {
		return nil, fmt.Errorf("%d users are too few for %d viewers: %w", on.World.Users, skip+n, ErrEmpty)
	}
	requests := make([]Request, n)
	for i, id := range on.ViewerIDs(skip, n) {
		token, err := on.Token(id)
		if err != nil {
			return nil, err
		}
		requests[i] = Request{Path: path, Token: token}
	}
	return requests, nil
}

// ViewerIDs are the users whose requests Viewers makes.
func (on *Environment) ViewerIDs(skip, n int) []core.ID {
	ids := make([]core.ID, n)
	for i, u := range rand.New(rand.NewPCG(1, 2)).Perm(on.World.Users)[skip : skip+n] {
		ids[i] = core.ID(u) + 1
	}
	return ids
}

// InTurn asks for one after the other, and begins again after the last.
func InTurn(requests []Request) func(int) Request {
	return func(n int) Request { return requests[n%len(requests)] }
}

// Looked is what a person tells who has looked at a few posts.
func (on *Environment) Looked(random *rand.Rand) []byte {
	var events []string
	keys := on.Keys
	for i := range 6 {
		action := "impression"
		if i == 5 {
			action = "like"
		}
		events = append(events,
			fmt.Sprintf(`{"event_id":"%s","action":"%s","post_id":"%s","author_id":"%s","occurred_at":"%s"}`,
				uuid.New(), action, keys.Post(core.ID(1+random.IntN(on.World.Posts))),
				keys.User(core.ID(1+random.IntN(on.World.Users))),
				time.Now().UTC().Format(time.RFC3339)))
	}
	return []byte(`{"events":[` + strings.Join(events, ",") + `]}`)
}
