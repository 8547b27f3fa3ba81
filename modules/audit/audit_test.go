package audit

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestACleanLedgerHasNoFindings(t *testing.T) {
	w := newWorld(t)
	r := w.audit(t, false)
	require.True(t, r.OK())
	require.Empty(t, r.Findings)
	require.Empty(t, r.Pending)
	require.Positive(t, r.Checked.Hours)
	require.Positive(t, r.Checked.Days)
	require.EqualValues(t, w.count(t, "SELECT count() AS n FROM event_ranges"), r.Checked.Ranges)
	require.EqualValues(t, w.count(t, "SELECT count() AS n FROM events"), r.Checked.Rows)
	require.EqualValues(t, 1, testutil.ToFloat64(w.service.metrics.runs.WithLabelValues("ok")))

	last, err := w.service.store.last(t.Context())
	require.NoError(t, err)
	require.Equal(t, r.Checked, last.Checked)
}

// An altered view is found, named, and put right by the owner.
func TestAWrongBucketIsFoundNamedAndRepaired(t *testing.T) {
	w := newWorld(t)
	w.exec(t, `INSERT INTO post_metrics_1h SELECT hour, post_id, kafka_partition, author_id, 0, 3, 0, 0, 0, 0, 0, map(1, 2)
		FROM post_metrics_1h WHERE hour < toStartOfHour(now()) ORDER BY hour, post_id LIMIT 1`)
	w.exec(t, `INSERT INTO user_author_90d SELECT user_id, author_id, day, kafka_partition, 0, 0, -1, 0, 0, 0
		FROM user_author_90d WHERE day < today() ORDER BY day, user_id LIMIT 1`)
	r := w.audit(t, false)
	require.False(t, r.OK())
	require.Equal(t, map[Kind]uint64{ViewDiffers: 2}, kindsOf(r))
	require.Equal(t, "post_metrics_1h", r.Findings[0].View)
	require.Contains(t, r.Findings[0].String(), "lacks views -3 dwell {1:-2}")
	require.Equal(t, "user_author_90d", r.Findings[1].View)
	require.Contains(t, r.Findings[1].String(), "lacks likes 1")
	require.EqualValues(t, 2, testutil.ToFloat64(w.service.metrics.findings.WithLabelValues(string(ViewDiffers))))

	r = w.audit(t, true)
	require.True(t, r.OK(), "%v", r.Findings)
	require.Equal(t, map[Kind]uint64{ViewDiffers: 2}, kindsOf(r))
	require.EqualValues(t, 2, r.Repaired)
	require.Empty(t, w.audit(t, false).Findings)
}

// The raw table is the only witness of an event: what is wrong there is named, never carried on.
func TestAMissingRawRowIsFoundAndTheViewsAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.exec(t, "ALTER TABLE events DELETE WHERE (kafka_partition, kafka_offset) IN ("+
		"SELECT kafka_partition, kafka_offset FROM events WHERE action = 'view' AND occurred_at < today() ORDER BY kafka_offset LIMIT 1) SETTINGS mutations_sync = 2")
	seen := w.count(t, "SELECT sum(views) AS n FROM post_metrics_1h")
	r := w.audit(t, true)
	require.False(t, r.OK())
	kinds := kindsOf(r)
	require.EqualValues(t, 1, kinds[RawMissing])
	require.Positive(t, kinds[ViewDiffers])
	require.Len(t, r.Withheld, 1)
	require.Zero(t, r.Repaired)
	require.Equal(t, seen, w.count(t, "SELECT sum(views) AS n FROM post_metrics_1h"))
}

func TestADoubledRawRowIsFound(t *testing.T) {
	for name, columns := range map[string]string{
		"as it was":                            "",
		"on another day":                       "REPLACE (occurred_at - INTERVAL 1 DAY AS occurred_at)",
		"under an offset that was not applied": "REPLACE (toInt64(1000000) AS kafka_offset)",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.exec(t, "INSERT INTO events SELECT * %s FROM events WHERE occurred_at < now() - INTERVAL 1 DAY ORDER BY kafka_offset LIMIT 1", columns)
			r := w.audit(t, true)
			require.False(t, r.OK())
			want := map[Kind]uint64{EventTwice: 1, OffsetTwice: 1}
			if name == "under an offset that was not applied" {
				delete(want, OffsetTwice)
			}
			require.Equal(t, want, kindsOf(r), "%v", r.Findings)
			require.Contains(t, r.Findings[len(r.Findings)-1].String(), "of user")
		})
	}
}

func TestARangeThatIsGoneOverlapsOrDoesNotAddUpIsFound(t *testing.T) {
	const one = "(kafka_partition, last_offset) IN (SELECT kafka_partition, last_offset FROM event_ranges WHERE kafka_partition = 0 AND rows > 0 ORDER BY last_offset LIMIT 1 OFFSET 3)"
	for name, c := range map[string]struct {
		spoil string
		want  map[Kind]uint64
	}{
		"gone": {
			"ALTER TABLE event_ranges DELETE WHERE " + one + " SETTINGS mutations_sync = 2",
			map[Kind]uint64{RangeGap: 1},
		},
		"doubled": {
			"INSERT INTO event_ranges SELECT * FROM event_ranges WHERE " + one,
			map[Kind]uint64{RangeOverlap: 1},
		},
		"too long": {"ALTER TABLE event_ranges UPDATE first_offset = first_offset - 1 WHERE " + one +
			" SETTINGS mutations_sync = 2", map[Kind]uint64{RangeOverlap: 1, RangeSum: 1}},
		"not adding up": {
			"ALTER TABLE event_ranges UPDATE duplicates = duplicates + 1 WHERE " + one + " SETTINGS mutations_sync = 2",
			map[Kind]uint64{RangeSum: 1},
		},
		"with too few rows": {
			"ALTER TABLE event_ranges UPDATE rows = rows - 1, duplicates = duplicates + 1 WHERE " + one +
				" SETTINGS mutations_sync = 2", map[Kind]uint64{RawSurplus: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.exec(t, "%s", c.spoil)
			r := w.audit(t, true)
			require.False(t, r.OK())
			require.Equal(t, c.want, kindsOf(r), "%v", r.Findings)
			for _, f := range r.Findings {
				require.Zero(t, f.Partition)
				require.Contains(t, f.String(), "epoch 1, partition 0, offsets ")
			}
		})
	}
}

// Whoever is killed in the middle of a batch leaves counts behind that its successor puts right: that
// is no finding.
func TestAnUnfinishedBatchIsPendingAndNotWrong(t *testing.T) {
	w := newWorld(t)
	w.exec(t, "INSERT INTO events SELECT * REPLACE (toInt64(1000000) AS kafka_offset, generateUUIDv4() AS event_id) FROM events WHERE kafka_partition = 1 LIMIT 1")
	w.exec(t, `INSERT INTO post_metrics_1h SELECT hour, post_id, kafka_partition, author_id, 0, 3, 0, 0, 0, 0, 0, map()
		FROM post_metrics_1h WHERE kafka_partition = 1 AND hour < toStartOfHour(now()) LIMIT 1`)
	r := w.audit(t, true)
	require.True(t, r.OK(), "%v", r.Findings)
	require.Equal(t, []uint16{1}, r.Pending)
	require.Zero(t, r.Repaired)
}

func TestADifferenceThatSettlesIsNoFinding(t *testing.T) {
	w := newWorld(t)
	w.cfg.Settle = 20 * time.Second
	spoil := func(n string) {
		w.exec(t, `INSERT INTO post_metrics_1h SELECT hour, post_id, 0, author_id, 0, %s, 0, 0, 0, 0, 0, map()
			FROM post_metrics_1h WHERE hour < toStartOfHour(now()) ORDER BY hour, post_id LIMIT 1`, n)
	}
	spoil("1")
	a := NewAuditor(w.cfg, w.ClickHouse, w.owners, w.service.auditor.clock)
	var r Report
	r.StartedAt, r.Counts = time.Now(), map[Kind]uint64{}
	suspects, err := NewAuditor(DefaultConfig(), w.ClickHouse, w.owners, a.clock).suspects(t.Context(), &r,
		[]uint16{0, 1}, time.Now().Add(-96*time.Hour))
	require.NoError(t, err)
	require.Len(t, suspects, 1)
	spoil("-1")
	left, err := a.settle(t.Context(), &r, suspects)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestARepairWithoutARunningConsumerSaysSo(t *testing.T) {
	w := newWorld(t)
	w.exec(t, `INSERT INTO post_metrics_1h SELECT hour, post_id, 0, author_id, 0, 1, 0, 0, 0, 0, 0, map()
		FROM post_metrics_1h WHERE hour < toStartOfHour(now()) ORDER BY hour, post_id LIMIT 1`)
	w.stop()
	w.service.auditor.patience = 300 * time.Millisecond
	r, err := w.service.Run(t.Context(), Options{Since: 72 * time.Hour, Repair: true})
	require.ErrorContains(t, err, "is an events consumer running?")
	require.False(t, r.OK())
	require.Equal(t, map[Kind]uint64{ViewDiffers: 1}, kindsOf(r))
}
