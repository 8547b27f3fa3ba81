package partition

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
)

// given knows one session, of one user and post.
type given struct{ user, post core.ID }

func (g given) Valid(user, post core.ID, session string) bool {
	return session == "given" && user == g.user && post == g.post
}

func TestASessionThatWasNotGivenForTheEventIsNotKept(t *testing.T) {
	m := NewMetrics(prometheus.NewRegistry(), core.SystemClock{})
	p := &Worker{Shared: Shared{Sessions: given{1, 2}}, metrics: m.of(0)}
	for _, e := range []codec.Event{
		{User: 1, Post: 2, Session: "given"},
		{User: 1, Post: 3, Session: "given"},
		{User: 1, Post: 2, Session: "made up"},
		{User: 1, Post: 2},
	} {
		p.batch.rows = append(p.batch.rows, ledger.Row{Event: e})
	}
	kept := func() (out []string) {
		for i := range p.batch.rows {
			out = append(out, p.batch.rows[i].Session)
		}
		return out
	}
	p.validateSessions()
	p.validateSessions() // a batch that is written again
	require.Equal(t, []string{"given", "", "", ""}, kept())
	require.InDelta(t, 2, testutil.ToFloat64(m.foreign), 0)

	p.Sessions, p.batch.rows[0].Session = nil, "anything"
	p.validateSessions()
	require.Equal(t, "anything", p.batch.rows[0].Session, "where no feed is served, sessions are not ours to judge")
}
