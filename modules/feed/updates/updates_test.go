package updates

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type manualClock struct{ now time.Time }

func (c *manualClock) Now() time.Time { return c.now }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// counts answers what a test says.
type counts struct {
	n       map[core.ID]int
	follows map[core.ID][]core.ID
	err     error
	during  func() // called in each count
	asked   []core.ID
}

func (c *counts) CountForStream(_ context.Context, viewer core.ID, _ time.Time, _ bool) (int, []core.ID, error) {
	c.asked = append(c.asked, viewer)
	if c.during != nil {
		c.during()
	}
	return c.n[viewer], c.follows[viewer], c.err
}

func (c *counts) Overloaded() bool { return false }

// sent keeps what a stream was told.
type sent struct{ events []string }

func (s *sent) Send(event []byte) { s.events = append(s.events, string(event)) }

// rig is what a test turns by hand: nothing runs beside it.
type rig struct {
	*Updates
	t     *testing.T
	clock *manualClock
	count *counts
	set   *hot.Set
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	clock := &manualClock{noon}
	count := &counts{n: map[core.ID]int{}, follows: map[core.ID][]core.ID{}}
	set := hot.New(hot.DefaultConfig(), nil, rank.NewLive(rank.DefaultConfig()), clock,
		hot.NewMetrics(prometheus.NewRegistry()), zap.NewNop())
	return &rig{New(cfg, count, set, clock, prometheus.NewRegistry()), t, clock, count, set}
}

// watch opens a stream of a viewer who follows these.
func (r *rig) watch(viewer core.ID, follows ...core.ID) (to *sent, end func()) {
	r.t.Helper()
	r.count.follows[viewer] = follows
	to = &sent{}
	first, end, err := r.Watch(r.t.Context(), viewer, From(noon), to)
	require.NoError(r.t, err)
	require.NotNil(r.t, first, "who was told nothing is told how things are")
	return to, end
}

// counted is who was counted after so long, as the workers would.
func (r *rig) counted(after time.Duration) []core.ID {
	r.t.Helper()
	r.count.asked = nil
	r.distribute()
	last := r.clock.now
	r.clock.now = last.Add(after)
	r.becomeDue(last, r.clock.now)
	r.distribute()
	r.release(r.clock.now)
	for len(r.queue) > 0 {
		r.countOne(r.t.Context(), <-r.queue)
	}
	return r.count.asked
}

// post puts a post into the hot set.
func (r *rig) post(id, author, group core.ID, at time.Time) {
	r.set.Apply([]core.Change{{
		Kind: core.PostPut, CommittedAt: r.clock.now,
		Post: core.Post{ID: id, AuthorID: author, Group: group, CreatedAt: at, Visibility: core.Visible},
	}})
}

const told1 = "event: new_posts\nid: 1777636800000000-1\ndata: {\"new_posts\":1,\"more\":false}\n\n"

func TestStreamsOfWhomAChangeConcernsAreCountedAgain(t *testing.T) {
	const author, group, viewer, other = 7, 70, 1, 2
	for name, c := range map[string]struct {
		happens func(*rig)
		want    []core.ID
	}{
		"nothing":                   {func(*rig) {}, nil},
		"a post of an author":       {func(r *rig) { r.post(100, author, 0, noon) }, []core.ID{viewer}},
		"a post of somebody else":   {func(r *rig) { r.post(100, 9, 0, noon) }, nil},
		"a post in a group":         {func(r *rig) { r.post(100, 9, group, noon) }, []core.ID{other}},
		"the author is suspended":   {func(r *rig) { r.Hear(person(core.UserGone, author)) }, []core.ID{viewer}},
		"the author is back":        {func(r *rig) { r.Hear(person(core.UserBack, author)) }, []core.ID{viewer}},
		"the viewer follows":        {func(r *rig) { r.Hear(edge(core.Followed, viewer, 9)) }, []core.ID{viewer}},
		"the viewer is blocked":     {func(r *rig) { r.Hear(edge(core.Blocked, 9, viewer)) }, []core.ID{viewer}},
		"the viewer mutes":          {func(r *rig) { r.Hear(edge(core.Muted, viewer, 9)) }, []core.ID{viewer}},
		"somebody mutes the viewer": {func(r *rig) { r.Hear(edge(core.Muted, 9, viewer)) }, nil},
		"the viewer joins": {
			func(r *rig) { r.Hear(edge(core.JoinedGroup, viewer, group)) },
			[]core.ID{viewer},
		},
		"the viewer hides": {func(r *rig) { r.Hear(edge(core.HidPost, viewer, 100)) }, []core.ID{viewer}},
		"a table was truncated": {
			func(r *rig) { r.Hear(edge(core.TableCleared, 0, 0)) },
			[]core.ID{viewer, other},
		},
		"many of them": {
			func(r *rig) { r.Changed(author); r.Changed(author); r.ViewerChanged(viewer) },
			[]core.ID{viewer},
		},
		"of a stream that has ended too": {
			func(r *rig) { _, end := r.watch(3, author); end(); r.Changed(author) },
			[]core.ID{viewer},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, DefaultConfig())
			r.watch(viewer, author)
			r.watch(other, group)
			require.Empty(t, r.counted(time.Minute))
			c.happens(r)
			require.ElementsMatch(t, c.want, r.counted(time.Second))
			require.Empty(t, r.counted(time.Hour), "once")
		})
	}
}

func person(kind core.ChangeKind, who core.ID) []core.Change {
	return []core.Change{{Kind: kind, Viewer: who}}
}

func edge(kind core.ChangeKind, viewer, other core.ID) []core.Change {
	return []core.Change{{Kind: kind, Viewer: viewer, Other: other}}
}

// TestTheMembersOfAGroupAreToldOfASuspendedAuthor is of an author whom they do not follow.
func TestTheMembersOfAGroupAreToldOfASuspendedAuthor(t *testing.T) {
	r := newRig(t, DefaultConfig())
	to, _ := r.watch(1, 70)
	r.post(100, 9, 70, noon)
	r.post(101, 9, 0, noon)
	r.count.n[1] = 1
	require.Equal(t, []core.ID{1}, r.counted(time.Second))
	require.Equal(t, []string{told1}, to.events)
	for _, kind := range []core.ChangeKind{core.UserGone, core.UserBack} {
		r.Hear(person(kind, 9))
		require.Equal(t, []core.ID{1}, r.counted(2*time.Second), kind)
	}
	r.Hear(person(core.UserGone, 8))
	require.Empty(t, r.counted(time.Minute), "who posted nothing there")
}

func TestAPostThatWasDatedAheadIsToldOfWhenItsTimeComes(t *testing.T) {
	r := newRig(t, DefaultConfig())
	r.watch(1, 7)
	r.watch(2, 70)
	ahead := r.set.Tolerance()
	r.post(100, 7, 70, noon.Add(time.Minute+ahead))
	r.counted(time.Second) // it came
	require.Empty(t, r.counted(58*time.Second))
	require.ElementsMatch(t, []core.ID{1, 2}, r.counted(time.Second))
	require.Empty(t, r.counted(time.Minute))
}

func TestTheMorePostsWaitTheSeldomerAStreamIsCounted(t *testing.T) {
	r := newRig(t, DefaultConfig())
	to, _ := r.watch(1, 7)
	r.Changed(7)
	require.Empty(t, r.counted(999*time.Millisecond), "it began a moment ago")
	r.count.n[1] = 1000
	require.Len(t, r.counted(time.Millisecond), 1)
	require.Contains(t, to.events[0], `{"new_posts":99,"more":true}`)
	r.Changed(7)
	require.Empty(t, r.counted(29*time.Second))
	require.Len(t, r.counted(time.Second), 1)
	require.Len(t, to.events, 1, "the number is the same")
	require.Equal(t, time.Second, interval(untold))
	require.Equal(t, 30*time.Second, interval(Most+1).Round(time.Second))
}

func TestACountThatFailsIsTriedAgain(t *testing.T) {
	cfg := DefaultConfig()
	r := newRig(t, cfg)
	to, _ := r.watch(1, 7)
	r.count.n[1], r.count.err = 1, errors.New("redis is away")
	r.Changed(7)
	require.Len(t, r.counted(time.Second), 1)
	require.Empty(t, r.counted(cfg.RetryFailed-time.Millisecond))
	r.count.err = nil
	require.Len(t, r.counted(time.Millisecond), 1)
	require.Equal(t, []string{told1}, to.events)
	require.InDelta(t, 1, testutil.ToFloat64(r.metrics.counts.WithLabelValues("failed")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(r.metrics.counts.WithLabelValues("told")), 0)
}

// TestNothingIsMissedBetweenACountAndAChange has something change while it is counted: for a stream that begins, and
// for one that is open.
func TestNothingIsMissedBetweenACountAndAChange(t *testing.T) {
	r := newRig(t, DefaultConfig())
	_, end := r.watch(2, 7) // else nobody listens
	defer end()
	once := func() { r.count.during = nil; r.Changed(7) }
	r.count.during = once
	to, _ := r.watch(1, 7)
	r.count.n[1] = 1
	require.Contains(t, r.counted(time.Second), core.ID(1))
	require.Equal(t, []string{told1}, to.events)
	r.Changed(7)
	r.count.during = once
	r.counted(time.Minute)
	require.Contains(t, r.counted(time.Minute), core.ID(1))
}

func TestWhomAViewerFollowsIsKeptUpAndBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxFollows = 4
	r := newRig(t, cfg)
	_, end := r.watch(1, 7, 8)
	r.watch(2, 7)
	r.count.follows[3] = []core.ID{7, 9}
	_, _, err := r.Watch(t.Context(), 3, From(noon), &sent{})
	require.Equal(t, core.CodeOverloaded, core.CodeOf(err))
	require.InDelta(t, 1, testutil.ToFloat64(r.metrics.refused), 0)
	r.count.follows[1] = []core.ID{9} // another one
	r.ViewerChanged(1)
	r.counted(time.Second)
	require.Equal(t, 2, r.edges)
	r.Changed(8)
	require.Empty(t, r.counted(time.Minute), "whom they do not follow any more")
	r.Changed(9)
	require.Equal(t, []core.ID{1}, r.counted(time.Minute))
	end()
	require.Equal(t, 1, r.edges)
	require.Len(t, r.byViewer, 1)
	_, _, err = r.Watch(t.Context(), 3, From(noon), &sent{})
	require.NoError(t, err, "there is room again")
}

func TestWhatEndedIsSweptOnceItIsMuch(t *testing.T) {
	r := newRig(t, DefaultConfig())
	r.watch(1, 7)
	var ends []func()
	for n := range 1001 {
		_, end := r.watch(2, 7, core.ID(1000+n))
		ends = append(ends, end)
	}
	held := func() (entries int) {
		for _, list := range r.byAuthor {
			entries += len(list)
		}
		return entries
	}
	for _, end := range ends[:500] {
		end()
	}
	r.sweep()
	require.Equal(t, 2003, held(), "it is not worth it yet")
	for _, end := range ends[500:] {
		end()
	}
	r.sweep()
	require.Equal(t, 1, held())
	require.Len(t, r.byAuthor, 1)
	require.Less(t, cap(r.byAuthor[7]), 32, "nor does the list keep their room")
	require.Zero(t, r.dead)
	require.EqualValues(t, 1, r.watches.Load())
}

func TestAClientThatComesBackGoesOnWhereItWas(t *testing.T) {
	r := newRig(t, DefaultConfig())
	r.count.n[1] = 1
	at, err := ParsePosition("1777636800000000-1")
	require.NoError(t, err)
	require.Equal(t, Position{noon, 1}, at)
	first, _, err := r.Watch(t.Context(), 1, at, &sent{})
	require.NoError(t, err)
	require.Nil(t, first, "it knows")
	r.count.n[1] = 2
	first, _, err = r.Watch(t.Context(), 1, at, &sent{})
	require.NoError(t, err)
	require.Contains(t, string(first), "id: 1777636800000000-2\n")
	for _, wrong := range []string{"", "1", "x-1", "1-x", "-1-1", "1--1", "1-101", "9999999999999999999-1", "1-1-1"} {
		_, err := ParsePosition(wrong)
		require.Error(t, err, wrong)
	}
}

// TestItStopsWhileItCounts runs the workers.
func TestItStopsWhileItCounts(t *testing.T) {
	r := newRig(t, DefaultConfig())
	to, end := r.watch(1, 7)
	r.clock.now = r.clock.now.Add(time.Minute)
	counting, goOn := make(chan struct{}), make(chan struct{})
	r.count.n[1] = 1
	r.count.during = func() { close(counting); <-goOn }
	require.NoError(t, r.Start(t.Context()))
	r.Changed(7)
	<-counting
	end() // the stream ends meanwhile, and is told nothing
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop(t.Context()) }()
	wait.Until(t, func() bool { return r.workers.Context().Err() != nil })
	close(goOn)
	require.NoError(t, <-stopped)
	require.Empty(t, to.events)
}
