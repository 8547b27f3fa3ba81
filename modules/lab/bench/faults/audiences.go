package faults

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// audienceColumns gives the example app what says who may see a post. A world is used again: what is there stays.
const audienceColumns = `
	ALTER TABLE public.users ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'active';
	ALTER TABLE public.posts ADD COLUMN IF NOT EXISTS audience text NOT NULL DEFAULT 'public',
		ADD COLUMN IF NOT EXISTS club bigint;
	CREATE TABLE IF NOT EXISTS public.memberships (person bigint, club bigint, PRIMARY KEY (person, club));`

// audienceMapping is the program's configuration of these columns.
const audienceMapping = `
cdc:
  tables:
    user:
      hidden_when: [{column: state, in: [suspended]}]
      gone_when: [{column: state, in: [deleted]}]
      private_when: [{column: state, in: [private]}]
    post:
      columns: {group_id: club}
      unlisted_when: [{column: audience, in: [unlisted]}]
      followers_when: [{column: audience, in: [followers]}]
      mutuals_when: [{column: audience, in: [mutuals]}]
      members_when: [{column: audience, in: [members]}]
      direct_when: [{column: audience, in: [direct]}]
    member:
      table: public.memberships
      columns: {user_id: person, group_id: club}
      constants: {created_at: "2026-01-01T00:00:00Z"}
`

// withAudiences has every program that is started from here on know who may see a post.
func withAudiences(ctx context.Context, on *harness.Environment) error {
	if _, err := on.Postgres.Exec(ctx, audienceColumns); err != nil {
		return fmt.Errorf("columns of audiences: %w", err)
	}
	on.File = filepath.Join(on.Logs, "audiences.yaml")
	if err := os.WriteFile(on.File, []byte(audienceMapping), 0o600); err != nil {
		return err
	}
	out, err := on.Feedrank("migrate", "--config", on.File).CombinedOutput() // for the topic of members
	if err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	return nil
}

// What posts and their authors can be that a stranger may not see.
var (
	restricted = []string{"followers", "mutuals", "members", "direct", "unlisted"}
	states     = []string{"suspended", "private", "deleted"}
)

// audience is for whom a post is.
type audience struct {
	name string // one of restricted
	club core.ID
}

// society is what the app's tables say of who may see which post.
type society struct {
	posts   map[core.ID]audience
	authors map[core.ID]string // of those who are not active, the state
	follows map[[2]core.ID]bool
	members map[[2]core.ID]bool
	shown   atomic.Int64 // posts that are not for everybody, to those for whom they are
}

// forbids tells why a viewer may not see a post; empty: they may.
func (s *society) forbids(viewer, post, author core.ID) string {
	if s == nil {
		return ""
	}
	follows := s.follows[[2]core.ID{viewer, author}]
	state, of := s.authors[author], s.posts[post]
	switch {
	case state == "private" && !follows:
		return "post of a private account"
	case state != "" && state != "private":
		return "post of a " + state + " author"
	}
	may := true
	switch of.name {
	case "unlisted", "followers":
		may = follows
	case "mutuals":
		may = follows && s.follows[[2]core.ID{author, viewer}]
	case "members":
		may = s.members[[2]core.ID{viewer, of.club}]
	case "direct":
		may = false
	}
	if !may {
		return of.name + " post"
	}
	if state != "" || of.name != "" {
		s.shown.Add(1)
	}
	return ""
}

// restrict has a post that the ith viewer's feed shows be for a few, of whom every other viewer is one; and now and
// then an author be suspended, private or deleted.
func restrict(ctx context.Context, on *harness.Environment, viewer core.ID, i int, posts, authors []core.ID) error {
	post, author := int64(posts[len(posts)/2]), int64(authors[len(posts)/2])
	name := restricted[i%len(restricted)]
	// A club has the id of a user, who has nothing to do with it.
	if _, err := on.Postgres.Exec(ctx, `UPDATE public.posts SET audience = $2, club = $3 WHERE id = $1`, post, name,
		author); err != nil {
		return err
	}
	if i%2 == 0 {
		for _, edge := range []string{
			`INSERT INTO public.follows (follower_id, followee_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			`INSERT INTO public.follows (follower_id, followee_id) VALUES ($2, $1) ON CONFLICT DO NOTHING`,
			`INSERT INTO public.memberships (person, club) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		} {
			if _, err := on.Postgres.Exec(ctx, edge, int64(viewer), author); err != nil {
				return err
			}
		}
	}
	const oneIn = 10 // authors have more followers than posts
	if i%oneIn != 0 {
		return nil
	}
	_, err := on.Postgres.Exec(ctx, `UPDATE public.users SET state = $2 WHERE id = $1`,
		int64(authors[len(posts)/3]), states[i/oneIn%len(states)])
	return err
}

// readSociety reads who may see what from the app's own tables.
func readSociety(ctx context.Context, on *harness.Environment) (*society, error) {
	s := &society{
		posts: map[core.ID]audience{}, authors: map[core.ID]string{}, follows: map[[2]core.ID]bool{},
		members: map[[2]core.ID]bool{},
	}
	concerned := map[core.ID]bool{}
	rows, err := on.Postgres.Query(ctx,
		`SELECT id, author_id, audience, coalesce(club, 0) FROM public.posts WHERE audience <> 'public'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var post, author, club core.ID
		var name string
		if err := rows.Scan((*int64)(&post), (*int64)(&author), &name, (*int64)(&club)); err != nil {
			return nil, err
		}
		s.posts[post], concerned[author] = audience{name, club}, true
	}
	if rows, err = on.Postgres.Query(ctx, `SELECT id, state FROM public.users WHERE state <> 'active'`); err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var author core.ID
		var state string
		if err := rows.Scan((*int64)(&author), &state); err != nil {
			return nil, err
		}
		s.authors[author], concerned[author] = state, true
	}
	authors := make([]int64, 0, len(concerned))
	for id := range maps.Keys(concerned) {
		authors = append(authors, int64(id))
	}
	slices.Sort(authors)
	for query, into := range map[string]map[[2]core.ID]bool{
		`SELECT follower_id, followee_id FROM public.follows
			WHERE follower_id = ANY($1) OR followee_id = ANY($1)`: s.follows,
		`SELECT person, club FROM public.memberships WHERE $1::bigint[] IS NOT NULL`: s.members,
	} {
		if err := pairs(ctx, on, into, query, authors); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func pairs(ctx context.Context, on *harness.Environment, into map[[2]core.ID]bool, query string, of []int64) error {
	rows, err := on.Postgres.Query(ctx, query, of)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b core.ID
		if err := rows.Scan((*int64)(&a), (*int64)(&b)); err != nil {
			return err
		}
		into[[2]core.ID{a, b}] = true
	}
	return rows.Err()
}
