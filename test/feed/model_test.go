package feed_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

const (
	modelSteps  = 300
	modelUsers  = 8
	modelGroups = 3 // whose ids are those of users, too
)

// model drives a world and its reference through the same random steps.
type model struct {
	*world
	ref      *reference
	rand     *rand.Rand
	users    []int
	posts    []int        // ids of those that there were and will be
	nextPost int          // of these
	sameAs   map[int]bool // users whose affinity has not changed since their feed was computed
	sessions map[int]*modelSession
	log      []string

	fromPostgres int // feeds that were made with PostgreSQL's graph
}

// modelSession is a session of pages that a user is in the middle of.
type modelSession struct {
	cursor string
	began  time.Time
	shown  map[core.ID]bool
	owed   map[int]bool // what followees had posted when it began, as far as it was not shown yet
}

func TestTheFeedIsWhatThePlainReferenceSays(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { followReference(t, seed, core.IntegerKeys) })
	}
}

// TestTheFeedIsWhatThePlainReferenceSaysOfUUIDs has an app whose users, posts and groups have UUIDs.
func TestTheFeedIsWhatThePlainReferenceSaysOfUUIDs(t *testing.T) {
	followReference(t, 3, core.UUIDKeys)
}

// followReference compares after each of many steps. With an odd seed nothing is cached or remembered when ClickHouse
// goes, so that PostgreSQL is asked for the graph.
func followReference(t *testing.T, seed uint64, keys core.KeyForm) {
	m := &model{
		world: newWorld(t, modelUsers, func(c *feed.Config) { c.Labels.DiscoveryHides = []string{"sensitive"} }),
		ref:   newReference(), rand: rand.New(rand.NewPCG(seed, 7)),
		sameAs: map[int]bool{}, sessions: map[int]*modelSession{},
	}
	m.withAudiences()
	m.withOptOut()
	m.withHides()
	m.withLabels()
	for n := range modelUsers {
		m.users = append(m.users, 1+n)
	}
	for n := range modelSteps {
		m.posts = append(m.posts, 100+n)
	}
	if keys == core.UUIDKeys {
		m.users, m.posts = m.withUUIDs(m.users), m.withUUIDs(m.posts)
		m.sql("INSERT INTO users (id, name) SELECT id, 'by a UUID' FROM unnest($1::bigint[]) id", m.users)
	}
	m.load()
	defer func() {
		if t.Failed() {
			t.Log(m.log)
		}
	}()
	for step := range modelSteps {
		if step == modelSteps/2 {
			if seed%2 == 1 {
				m.note("every entry is dropped, and the replica restarts long after what it heard of")
				m.dropEntries()
				m.recentEdges = nil
				m.start()
				m.load()
			}
			m.note("ClickHouse goes away")
			m.away.clickhouse.closed.Store(true)
		}
		if step == modelSteps*3/4 {
			m.note("PostgreSQL too, and ClickHouse is back")
			m.back()
			require.NoError(t, m.hot.Refresh(t.Context(), true))
			m.away.postgres.closed.Store(true)
		}
		actor := m.user()
		m.step(actor)
		m.check(actor)
		m.check(m.user())
	}
	if seed%2 == 1 {
		require.Positive(t, m.fromPostgres)
	}
}

func (m *model) note(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

func (m *model) user() int { return m.users[m.rand.IntN(modelUsers)] }

// group is one of a few, which have ids of users.
func (m *model) group() int { return m.users[m.rand.IntN(modelGroups)] }

func (m *model) anyPost() *refPost {
	if len(m.ref.posts) == 0 {
		return nil
	}
	for {
		if p, ok := m.ref.posts[m.posts[m.rand.IntN(m.nextPost)]]; ok {
			return p
		}
	}
}

// of picks one of those whom a user follows, blocks or mutes, or anybody where there is none.
func (m *model) of(user int, edges map[[2]int]bool) int {
	var others []int
	for _, other := range m.users {
		if edges[[2]int{user, other}] {
			others = append(others, other)
		}
	}
	if len(others) == 0 {
		return m.user()
	}
	return others[m.rand.IntN(len(others))]
}

func (m *model) dropEntries() {
	status, _ := m.do(http.MethodDelete, 1, "/admin/v1/cache", "")
	require.Equal(m.t, http.StatusOK, status)
	clear(m.sameAs)
}

func (m *model) step(a int) {
	b := m.user()
	pair := [2]int{a, b}
	// The tail may not know of whom a row was that is gone. Who could tell waits for ClickHouse.
	m.ownKeys = !m.away.clickhouse.closed.Load() && m.rand.IntN(2) == 0
	switch p := m.anyPost(); m.rand.IntN(34) {
	case 0, 1, 2:
		id := m.posts[m.nextPost]
		m.note("user %d posts %d", a, id)
		age := time.Duration(m.rand.IntN(60*60)) * time.Second
		m.post(id, a, age)
		m.ref.posts[id] = &refPost{id: id, author: a, created: m.clock.Now().Add(-age)}
		m.nextPost++
	case 3, 4, 19:
		if a == b || m.ref.follows[pair] {
			return
		}
		m.note("%d follows %d", a, b)
		m.follow(a, b)
		m.ref.follows[pair] = true
		m.ref.followedLate[pair] = m.away.clickhouse.closed.Load()
		delete(m.ref.unfollows, pair)
	case 5, 20:
		b = m.of(a, m.ref.follows)
		if pair = [2]int{a, b}; !m.ref.follows[pair] {
			return
		}
		m.note("%d unfollows %d", a, b)
		m.unfollow(a, b)
		delete(m.ref.follows, pair)
		m.ref.unfollows[pair] = true
	case 6:
		if a == b || m.ref.blocks[pair] || m.rand.IntN(2) == 0 {
			return
		}
		m.note("%d blocks %d", a, b)
		m.block(a, b)
		m.ref.blocks[pair] = true
	case 7:
		b = m.of(a, m.ref.blocks)
		if pair = [2]int{a, b}; !m.ref.blocks[pair] {
			return
		}
		m.note("%d unblocks %d", a, b)
		m.unblock(a, b)
		delete(m.ref.blocks, pair)
	case 8:
		if p == nil {
			return
		}
		m.note("post %d is deleted", p.id)
		m.deletePost(p.id)
		delete(m.ref.posts, p.id)
	case 9:
		if p == nil || p.author == a {
			return
		}
		m.note("%d hides %d", a, p.id)
		action := []core.Action{core.ActionHide, core.ActionNotInterested}[m.rand.IntN(2)]
		m.record(a, action, p.author, core.ID(p.id))
		m.ref.hidden[[2]int{a, p.id}] = true
		m.ref.hides[[2]int{a, p.author}]++
		m.sameAs[a] = false
	case 10:
		if p == nil || m.away.clickhouse.closed.Load() { // the consumer would tell of it later
			return
		}
		m.note("%d sees %d", a, p.id)
		m.record(a, core.ActionView, p.author, core.ID(p.id))
		m.ref.seen[[2]int{a, p.id}] = m.clock.Now()
		m.ref.views[[2]int{a, p.author}]++
		m.sameAs[a] = false
	case 11:
		if p == nil || m.away.clickhouse.closed.Load() {
			return
		}
		likes := 1 + m.rand.IntN(8)
		m.note("post %d is liked by %d of 30", p.id, likes)
		m.engage(p.id, p.author, 30, likes)
		p.exposures, p.likes = p.exposures+30, p.likes+likes
		require.NoError(m.t, m.hot.Refresh(m.t.Context(), false))
	case 12:
		b = m.of(a, m.ref.follows)
		if pair = [2]int{a, b}; a == b {
			return
		}
		m.note("%d likes posts of %d", a, b)
		m.interact(a, b, 3)
		m.ref.likes[pair] += 3
		m.sameAs[a] = false
	case 13:
		if a == b || m.ref.mutes[pair] {
			return
		}
		m.note("%d mutes %d", a, b)
		m.mute(a, b)
		m.ref.mutes[pair] = true
	case 14, 21:
		b = m.of(a, m.ref.mutes)
		if pair = [2]int{a, b}; !m.ref.mutes[pair] {
			return
		}
		m.note("%d unmutes %d", a, b)
		m.unmute(a, b)
		delete(m.ref.mutes, pair)
	case 15:
		if m.rand.IntN(3) > 0 {
			return
		}
		m.note("every entry expires: an operator drops them")
		m.dropEntries()
	case 16:
		if m.away.clickhouse.closed.Load() || m.rand.IntN(2) > 0 {
			return
		}
		m.note("the replica restarts")
		m.start()
		m.load()
	case 17:
		// nothing is cached where there are no posts
		if p == nil || m.away.clickhouse.closed.Load() || m.rand.IntN(2) > 0 {
			return
		}
		m.note("Redis is emptied")
		m.flush()
		clear(m.sameAs)
		for _, user := range m.users {
			m.cached(user, "") // before ClickHouse goes, too: then nobody knows what was hidden
		}
	case 28, 29:
		is := !m.ref.optedOut[a]
		m.note("%d is recommended: %t", a, !is)
		m.optOut(a, is)
		m.ref.optedOut[a] = is
	case 24, 26:
		pair = [2]int{a, m.group()}
		if m.ref.members[pair] {
			return
		}
		m.note("%d joins group %d", a, pair[1])
		m.join(a, pair[1])
		m.ref.members[pair] = true
	case 25, 27:
		pair = [2]int{a, m.group()}
		if !m.ref.members[pair] {
			return
		}
		m.note("%d leaves group %d", a, pair[1])
		m.leave(a, pair[1])
		delete(m.ref.members, pair)
	case 30:
		if p == nil || p.author == a || m.ref.appHides[[2]int{a, p.id}] {
			return
		}
		m.note("%d hides %d in the app's table", a, p.id)
		m.hide(a, p.id)
		m.ref.appHides[[2]int{a, p.id}] = true
	case 31:
		for _, post := range m.posts[:m.nextPost] {
			if pair = [2]int{a, post}; m.ref.appHides[pair] {
				m.note("%d takes it back that they hid %d in the app's table", a, post)
				m.unhide(a, post)
				delete(m.ref.appHides, pair)
				return
			}
		}
	case 32, 33:
		if p == nil {
			return
		}
		p.sensitive = !p.sensitive
		m.note("post %d is sensitive: %t", p.id, p.sensitive)
		m.label(p.id, map[bool][]string{true: {"sensitive", "lang:de"}, false: {"lang:de"}}[p.sensitive]...)
	case 22, 23:
		if p == nil {
			return
		}
		audiences := []string{"public", "unlisted", "followers", "mutuals", "members", "members", "direct"}
		direct := p.audience == "direct"
		p.audience, p.group = audiences[m.rand.IntN(len(audiences))], m.group()
		m.note("post %d of group %d is %s", p.id, p.group, p.audience)
		m.setGroup(p.id, map[string]core.Audience{
			"public": core.Public, "unlisted": core.Unlisted, "followers": core.Followers, "mutuals": core.Mutuals,
			"members": core.Members, "direct": core.Direct,
		}[p.audience], p.group)
		if direct && !m.away.clickhouse.closed.Load() { // what it had gathered is read again, as by a running set
			require.NoError(m.t, m.hot.Refresh(m.t.Context(), true))
		}
	case 18:
		d := []time.Duration{time.Second, 3 * time.Minute, 15 * time.Minute}[m.rand.IntN(3)]
		m.note("%s pass", d)
		m.clock.advance(d)
		if !m.away.clickhouse.closed.Load() { // as a running set does
			require.NoError(m.t, m.hot.Refresh(m.t.Context(), true))
		}
	}
}

// check asks for a user's feed, in one of the ways that there are.
func (m *model) check(user int) {
	switch m.rand.IntN(4) {
	case 0:
		m.checkTimeline(user)
	case 1:
		m.checkSession(user)
	default:
		m.checkFeed(user)
	}
}

func (m *model) checkFeed(user int) {
	now := m.clock.Now()
	p := m.get(user, "limit=100&explain=true")
	m.note("feed of %d from %s: %v", user, p.ServedFrom, p.posts())
	if p.ServedFrom == "postgres" {
		m.fromPostgres++
	}
	want := m.ref.visible(user, now)
	list := make([]ranked, len(p.Items))
	for i, item := range p.Items {
		require.True(m.t, want[int(item.Post)], "post %s must not be shown to %d", item.Post, user)
		delete(want, int(item.Post))
		if m.ref.unfollows[[2]int{user, int(item.Author)}] { // however old the entry is, whoever is away
			require.Zero(m.t, item.Explain.Affinity, "affinity of %d, who was unfollowed by %d", item.Author, user)
		}
		list[i] = ranked{
			id: int(item.Post), author: int(item.Author), score: item.Score,
			created: m.ref.posts[int(item.Post)].created,
		}
	}
	maps.DeleteFunc(want, func(id int, _ bool) bool { return m.ref.late(user, m.ref.posts[id]) })
	require.Empty(m.t, want, "posts that are not shown to %d", user)
	order := diversified(list)
	for i, item := range p.Items {
		require.Equal(m.t, order[i], int(item.Post), "place %d of the feed of %d", i, user)
	}
	if p.ServedFrom == "clickhouse" {
		m.sameAs[user] = true
	}
	if !m.sameAs[user] || p.Degraded {
		return // affinity is as old as the reserve
	}
	for _, item := range p.Items {
		require.InDelta(m.t, m.ref.score(user, m.ref.posts[int(item.Post)], now), item.Score, 1e-3,
			"score of %s for %d", item.Post, user)
	}
}

func (m *model) checkTimeline(user int) {
	var want, got []int
	for _, id := range m.ref.timeline(user) {
		if !m.ref.late(user, m.ref.posts[id]) {
			want = append(want, id)
		}
	}
	query := "algo=timeline&limit=4"
	for {
		p := m.get(user, query)
		for _, id := range p.posts() {
			if post := m.ref.posts[int(id)]; !m.ref.mayEver(user, post) || !m.ref.late(user, post) {
				got = append(got, int(id))
			}
		}
		if p.NextCursor == nil || m.away.postgres.closed.Load() && len(p.Items) == 0 {
			break
		}
		query = "algo=timeline&limit=4&" + p.next()
	}
	m.note("timeline of %d: %v", user, got)
	require.Equal(m.t, append([]int{}, want...), append([]int{}, got...), "timeline of %d", user)
}

// checkSession goes one page on in a user's session, or begins one.
func (m *model) checkSession(user int) {
	s := m.sessions[user]
	if s == nil {
		s = &modelSession{began: m.clock.Now(), shown: map[core.ID]bool{}, owed: map[int]bool{}}
		for _, id := range m.ref.timeline(user) {
			if post := m.ref.posts[id]; m.ref.may(user, post, m.clock.Now()) && !m.ref.late(user, post) {
				s.owed[id] = true
			}
		}
		m.sessions[user] = s
	}
	for id := range s.owed { // a page passes over what is barred when it is made
		if post, exists := m.ref.posts[id]; !exists || !m.ref.mayEver(user, post) || m.ref.late(user, post) {
			delete(s.owed, id)
		}
	}
	query := "limit=2"
	if s.cursor != "" {
		query += "&" + s.cursor
		if status, _ := m.call(user, "/api/v1/feed?"+query); status == http.StatusGone {
			require.Greater(m.t, m.clock.Now().Sub(s.began), m.cfg.Store.SessionTTL, "nothing else ends a session")
			delete(m.sessions, user)
			return
		}
	}
	p := m.get(user, query)
	m.note("session of %d: %v", user, p.posts())
	for _, id := range p.posts() {
		require.False(m.t, s.shown[id], "post %s comes twice to %d", id, user)
		post, exists := m.ref.posts[int(id)]
		require.True(m.t, exists && m.ref.mayEver(user, post), "post %s must not be shown to %d", id, user)
		s.shown[id] = true
		delete(s.owed, int(id))
	}
	s.cursor = p.next()
	if s.cursor != "" {
		return
	}
	delete(m.sessions, user)
	require.Empty(m.t, s.owed, "posts that the session of %d skipped", user)
}
