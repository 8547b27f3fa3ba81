package stack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/sql"
)

// OwnClickHouse is a migrated server that the test may kill.
func OwnClickHouse(t *testing.T) *Stack {
	t.Helper()
	servers := embeddedtest.Own(t, embedded.ClickHouse)
	s := Configs(servers.Addresses())
	s.Servers = servers
	_, err := migrate.ClickHouse(t.Context(), s.ClickHouseConfig, false)
	require.NoError(t, err)
	s.ClickHouse = clickhouse.New(s.ClickHouseConfig, prometheus.NewRegistry())
	t.Cleanup(s.ClickHouse.Close)
	return s
}

// EventViews are the tables that must be equal to the raw table of events.
func EventViews() []string { return []string{"post_metrics_1h", "user_author_90d"} }

// Differing counts the buckets of a view that are not what a partition's rows in the raw table say.
func (s *Stack) Differing(t testing.TB, view string, partition uint16) uint64 {
	t.Helper()
	query := "event_difference_" + strings.TrimSuffix(strings.TrimSuffix(view, "_1h"), "_90d")
	var n proto.ColUInt64
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT count() AS n FROM (" + strings.TrimRight(sql.ClickHouse(query), "; \n") + ")",
		Parameters: clickhouse.Params(map[string]any{
			"epoch": 1, "partition": partition, "after": int64(0), "whole": true, "first": "1970-01-01",
			"last": "2134-04-11", "posts": []core.ID{},
		}),
		Result: proto.Results{{Name: "n", Data: &n}},
	}}))
	return n.Row(0)
}

// DeadLetters keeps dead letters in memory.
type DeadLetters struct {
	mu      sync.Mutex
	letters []kafka.DeadLetter
}

// Publish implements the consumers' DeadLetters.
func (d *DeadLetters) Publish(_ context.Context, letters []kafka.DeadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letters = append(d.letters, letters...)
	return nil
}

// All are those that were published.
func (d *DeadLetters) All() []kafka.DeadLetter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.letters)
}

// Reasons counts them by reason.
func (d *DeadLetters) Reasons() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := map[string]int{}
	for _, l := range d.letters {
		found[l.Reason]++
	}
	return found
}

// RandomEvents are events of a few users on a few posts of the last days.
func RandomEvents(rng *rand.Rand, n int) []core.Event {
	events := make([]core.Event, n)
	for i := range events {
		e := core.Event{
			UserID: core.ID(1 + rng.IntN(50)), PostID: core.ID(1 + rng.IntN(30)), Action: core.Actions()[rng.IntN(10)],
			OccurredAt: time.Now().Add(-time.Duration(rng.Int64N(int64(60 * time.Hour)))), ReceivedAt: time.Now(),
			DwellMillis: uint32(1 + rng.IntN(100_000)), Device: fmt.Sprint("device ", rng.IntN(5)), AppVersion: "1.2.3",
		}
		e.AuthorID = 1 + e.PostID%10
		for b := range e.ID {
			e.ID[b] = byte(rng.Uint32())
		}
		events[i] = e
	}
	return events
}
