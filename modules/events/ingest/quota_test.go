package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
)

// taken keeps what the API sent, or fails.
type taken struct {
	mu   sync.Mutex
	sent []string
	fail error
}

func (l *taken) Send(_ context.Context, messages ...*sarama.ProducerMessage) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	for _, m := range messages {
		value, err := m.Value.Encode()
		if err != nil {
			return err
		}
		l.sent = append(l.sent, string(value))
	}
	return nil
}

// count is how many events of an action on a post were sent.
func (l *taken) count(action string, post int) (n int) {
	for _, value := range l.sent {
		if strings.Contains(value, fmt.Sprintf(`"action":%q,"post_id":"%d"`, action, post)) {
			n++
		}
	}
	return n
}

func bound(t *testing.T, addr string) *Quota {
	t.Helper()
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{addr}
	var client *redis.Client
	if addr == nowhere {
		client = redis.New(cfg, core.SystemClock{})
		t.Cleanup(client.Close)
	} else {
		client = stack.Redis(t, cfg)
	}
	return NewQuota(DefaultQuota(), client, core.SystemClock{}, prometheus.NewRegistry(), zap.NewNop())
}

// nowhere is an address where nobody listens.
const nowhere = "127.0.0.1:1"

func of(action string, post int) map[string]any {
	return valid("event_id", uuid.NewString(), "action", action, "post_id", post, "occurred_at", time.Now())
}

func TestOneUserCannotMoveAPostBeyondABound(t *testing.T) {
	t.Parallel()
	log := &taken{}
	api := New(DefaultConfig(), "events", log, &hides{}, core.SystemClock{},
		prometheus.NewRegistry()).WithQuota(bound(t, nowhere))
	url := serveAPI(t, api)
	for _, action := range []string{"like", "unlike", "comment", "share", "impression", "view"} {
		for range 3 { // several requests
			batch := make([]any, 100)
			for i := range batch {
				batch[i] = of(action, 1)
			}
			batch[7] = "broken"
			batch[50] = of(action, 2) // of another post: it counts
			status, answer, _ := post(t, url, batchOf(t, batch...))
			require.Equal(t, http.StatusAccepted, status)
			rejected := answer["rejected"].([]any)
			require.EqualValues(t, 100-len(rejected), answer["accepted"])
			last := -1.0
			for _, r := range rejected {
				r := r.(map[string]any)
				require.Greater(t, r["index"], last, "in order, each once")
				last = r["index"].(float64)
				require.NotEqual(t, 50.0, last, "another post is not touched")
				if last != 7 {
					require.Equal(t, "too_many", r["code"])
				}
			}
		}
	}
	got := map[string]int{}
	for _, action := range []string{"like", "unlike", "comment", "share", "impression", "view"} {
		got[action] = log.count(action, 1)
		require.Equal(t, 3, log.count(action, 2), action)
	}
	require.Equal(t, map[string]int{"like": 20, "unlike": 20, "comment": 20, "share": 20, "impression": 20, "view": 20},
		got)
}

func TestWhatKafkaDidNotTakeDoesNotUseUpTheBound(t *testing.T) {
	t.Parallel()
	log := &taken{fail: errors.New("away")}
	url := serveAPI(t, New(DefaultConfig(), "events", log, &hides{}, core.SystemClock{},
		prometheus.NewRegistry()).WithQuota(bound(t, nowhere)))
	for range DefaultQuota().LikesPerDay + 1 { // each an event of its own: one that comes again uses up nothing anyway
		status, _, _ := post(t, url, batchOf(t, of("like", 1)))
		require.Equal(t, http.StatusServiceUnavailable, status)
	}
	log.fail = nil
	status, answer, _ := post(t, url, batchOf(t, of("like", 1)))
	require.Equal(t, http.StatusAccepted, status)
	require.EqualValues(t, 1, answer["accepted"])
}

func TestAnEventThatIsSentAgainIsAcceptedAndUsesUpNothing(t *testing.T) {
	t.Parallel()
	log := &taken{}
	cfg := DefaultQuota()
	cfg.LikesPerDay = 3
	b := NewQuota(cfg, redis.New(redis.DefaultConfig(), core.SystemClock{}), core.SystemClock{},
		prometheus.NewRegistry(), zap.NewNop())
	url := serveAPI(t, New(DefaultConfig(), "events", log, &hides{}, core.SystemClock{},
		prometheus.NewRegistry()).WithQuota(b))
	first := of("like", 1)
	for range 10 { // its client does not see our answers
		status, answer, _ := post(t, url, batchOf(t, first, first))
		require.Equal(t, http.StatusAccepted, status)
		require.EqualValues(t, 2, answer["accepted"])
		require.Empty(t, answer["rejected"])
	}
	require.Equal(t, 1, log.count("like", 1), "what is safe in the log is not written again")
	for i := range 5 {
		_, answer, _ := post(t, url, batchOf(t, of("like", 1)))
		require.Equal(t, i >= 2, answer["accepted"] == 0.0, "another event uses up the quota")
	}
	_, answer, _ := post(t, url, batchOf(t, first))
	require.EqualValues(t, 1, answer["accepted"], "a known one is accepted however much was used up")
}

func TestAnAccountThatFillsTheQuotasMemoryIsRefusedAloneAndNeverUncounted(t *testing.T) {
	t.Parallel()
	b := bound(t, nowhere)
	like := func(user, post int) codec.Event {
		return codec.Event{
			User: core.ID(user), Post: core.ID(post), Action: core.ActionLike,
			ID: core.EventID(uuid.New()),
		}
	}
	for made := range 12_000 { // posts that do not exist
		b.take([]codec.Event{like(1, 1000+made)})
	}
	counted := func(user int) (n int) {
		for range 1000 {
			within, _ := b.take([]codec.Event{like(user, 7)})
			n += len(within)
		}
		return n
	}
	require.Zero(t, counted(1))
	require.Equal(t, DefaultQuota().LikesPerDay, counted(2))
}

func TestTheReplicasHoldTheBoundTogether(t *testing.T) {
	t.Parallel()
	addr := embeddedtest.NewRedis(t)
	one, two := bound(t, addr), bound(t, addr)
	like := []codec.Event{{User: 42, Post: 1, Action: core.ActionLike}}
	counted := 0
	for range 20 {
		for _, replica := range []*Quota{one, two} {
			within, _ := replica.take(like)
			counted += len(within)
			require.NoError(t, replica.sync.Round(t.Context()))
			require.NoError(t, one.sync.Round(t.Context()))
		}
	}
	require.LessOrEqual(t, counted, 2*DefaultQuota().LikesPerDay-1, "each learns of the other's by its own next one")
}
