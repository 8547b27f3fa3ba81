package feed_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

type dayAnswer struct {
	Date          string
	Complete      bool
	CacheHitRatio *float64         `json:"cache_hit_ratio"`
	ServedFrom    map[string]int64 `json:"served_from"`
	Total         dayRow
	Rows          []dayRow
}

type dayRow struct {
	Source         string
	RankingVersion uint64 `json:"ranking_version"`
	Impressions    int
	Clicks         int
	CTR            *float64
	Conversion     *float64
	DwellP50       *float64 `json:"dwell_p50_ms"`
	DwellP95       *float64 `json:"dwell_p95_ms"`
}

func (w *world) day(query string) dayAnswer {
	w.t.Helper()
	status, body := w.call(1, "/api/v1/feed/metrics?"+query)
	require.Equal(w.t, http.StatusOK, status, string(body))
	var out dayAnswer
	require.NoError(w.t, json.Unmarshal(body, &out))
	return out
}

// happened writes a raw event as the consumer does.
func (w *world) happened(at time.Time, user int, post core.ID, action, session string, dwell int) {
	w.t.Helper()
	w.ch("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, dwell_ms, feed_session, epoch, kafka_offset, fence, token) "+
		"VALUES (0, %d, generateUUIDv4(), %d, 2, '%s', fromUnixTimestamp64Milli(%d, 'UTC'), now64(3), %d, '%s', 0, %d, 1, 7)",
		user, post, action, at.UnixMilli(), dwell, session, w.next())
}

func TestADayTellsWhatWasDoneWithWhatFeedsShowedBySourceAndVersion(t *testing.T) {
	w := newWorld(t, 20)
	w.ch("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'test', now64(3))")
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Hour)
	w.load()
	first := w.get(1, "")
	w.cached(1, "")
	w.cached(1, "")
	sessions := map[core.ID]string{}
	for _, item := range first.Items {
		sessions[item.Post] = item.FeedSession
	}
	now := w.clock.Now()
	for _, e := range []struct {
		post   core.ID
		action string
		dwell  int
	}{
		{102, "impression", 0},
		{102, "impression", 0},
		{102, "click", 0},
		{102, "like", 0},
		{102, "comment", 0},
		{102, "dwell", 1000},
		{102, "dwell", 3000},
		{103, "impression", 0},
	} {
		w.happened(now, 1, e.post, e.action, sessions[e.post], e.dwell)
	}
	w.happened(now, 1, 102, "impression", "", 0)                               // not from a feed
	w.happened(now.Add(-24*time.Hour), 1, 102, "impression", sessions[102], 0) // the day before

	d := w.day("")
	require.Equal(t, now.Format(time.DateOnly), d.Date)
	require.False(t, d.Complete)
	require.Len(t, d.Rows, 2)
	require.Equal(t, "followees", d.Rows[0].Source)
	require.Equal(t, 2, d.Rows[0].Impressions)
	require.InDelta(t, 0.5, *d.Rows[0].CTR, 1e-9)
	require.InDelta(t, 1, *d.Rows[0].Conversion, 1e-9, "one post was shown to one user, and liked and commented")
	require.InDelta(t, 2000, *d.Rows[0].DwellP50, 1001)
	require.InDelta(t, 3000, *d.Rows[0].DwellP95, 1)
	require.Equal(t, "popular", d.Rows[1].Source)
	require.Zero(t, *d.Rows[1].CTR)
	require.Nil(t, d.Rows[1].DwellP50)
	require.Equal(t, 3, d.Total.Impressions)
	require.InDelta(t, 0.5, *d.Total.Conversion, 1e-9)
	require.Positive(t, d.ServedFrom["clickhouse"])
	require.GreaterOrEqual(t, d.ServedFrom["cache"], int64(2))
	require.InDelta(t, float64(d.ServedFrom["cache"])/float64(d.ServedFrom["cache"]+d.ServedFrom["clickhouse"]),
		*d.CacheHitRatio, 1e-9)

	before := w.day("date=" + now.Add(-24*time.Hour).Format(time.DateOnly))
	require.True(t, before.Complete)
	require.Equal(t, 1, before.Total.Impressions)
	require.Nil(t, before.CacheHitRatio, "no page was made that day")
	require.Empty(t, w.day("date="+now.Add(-48*time.Hour).Format(time.DateOnly)).Rows)
	for _, bad := range []string{"2020-01-01", "2999-01-01", "yesterday", "2026-02-31"} {
		status, p := w.refused(1, "/api/v1/feed/metrics?date="+bad)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "date", p.Field)
	}
	status, _ := w.call(2, "/api/v1/feed/metrics")
	require.Equal(t, http.StatusForbidden, status)
}
