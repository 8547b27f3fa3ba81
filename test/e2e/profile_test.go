package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/tables"
)

// odd is what default profiles of servers have been seen to set: each changes what a statement means, what is written
// or the form of an answer.
func odd(more map[string]string) map[string]string {
	profile := map[string]string{
		"join_use_nulls": "1", "join_any_take_last_row": "1", "join_default_strictness": "ANY",
		"transform_null_in": "1", "group_by_use_nulls": "1",
		"aggregate_functions_null_for_empty": "1", "empty_result_for_aggregation_by_empty_set": "1",
		"data_type_default_nullable": "1",
		"cast_keep_nullable":         "1", "count_distinct_implementation": "uniqHLL12",
		"prefer_column_name_to_alias":           "1",
		"asterisk_include_materialized_columns": "1", "asterisk_include_alias_columns": "1",
		"async_insert": "1", "wait_for_async_insert": "0", "insert_deduplicate": "1",
		"deduplicate_blocks_in_dependent_materialized_views": "1",
		"materialized_views_ignore_errors":                   "1", "parallel_view_processing": "1",
		"max_partitions_per_insert_block": "1", "mutations_sync": "2",
		"max_threads": "1", "max_insert_block_size": "7", "min_insert_block_size_rows": "7", "max_block_size": "13",
		"date_time_input_format": "best_effort", "date_time_output_format": "iso",
		"date_time_overflow_behavior":             "throw",
		"output_format_json_quote_64bit_integers": "1", "output_format_native_encode_types_in_binary_format": "1",
		"input_format_native_decode_types_in_binary_format": "1", "low_cardinality_allow_in_native_format": "0",
		"bool_true_representation": "yes", "bool_false_representation": "no", "extremes": "1",
		"final": "1", "limit": "3", "force_primary_key": "1", "force_index_by_date": "1",
	}
	maps.Copy(profile, more)
	return profile
}

// TestTheChainHoldsUnderAnyProfileAndTimeZone has events, changes and feeds meet servers that are set otherwise than
// ours. Days are UTC's: at whatever time this runs, one of the two zones has another date.
func TestTheChainHoldsUnderAnyProfileAndTimeZone(t *testing.T) {
	for zone, profile := range map[string]map[string]string{
		"Pacific/Tongatapu": odd(map[string]string{ // +13 hours
			"enable_analyzer": "0", "session_timezone": "Pacific/Pago_Pago", "use_query_cache": "1",
			"query_cache_nondeterministic_function_handling": "save",
		}),
		"Pacific/Pago_Pago": odd(map[string]string{ // -11
			"compatibility": "24.3", "max_threads": "3", "insert_deduplication_token": "once",
			"deduplicate_insert": "enable",
			"read_overflow_mode": "break", "group_by_overflow_mode": "any", "sort_overflow_mode": "break",
			"result_overflow_mode":  "break",
			"timeout_overflow_mode": "break", "set_overflow_mode": "break", "join_overflow_mode": "break",
			"distinct_overflow_mode": "break",
		}),
	} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			s := stack.OwnWith(t, embedded.Options{ClickHouseProfile: profile, ClickHouseTimezone: zone})
			requireServer(t, s, zone, profile)
			chain(t, s)
		})
	}
}

// TestAnAppWithUUIDsUnderAnOddProfile has keys that are no integers meet such a server: their removal is the statement
// with the most to it.
func TestAnAppWithUUIDsUnderAnOddProfile(t *testing.T) {
	t.Parallel()
	withUUIDs(stack.OwnWith(t, embedded.Options{
		ClickHouseProfile: odd(map[string]string{"enable_analyzer": "0"}),
	})).goesAllTheWay(t)
}

// requireServer holds that the server is set as the test means it to be.
func requireServer(t *testing.T, s *stack.Stack, zone string, profile map[string]string) {
	t.Helper()
	at := s.Servers.Addresses().ClickHouse
	client, err := ch.Dial(t.Context(), ch.Options{Address: at.Addr, User: at.User, Password: at.Password})
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	for query, want := range map[string]string{
		"serverTimezone()": zone, "toString(toUInt8(getSetting('join_use_nulls')))": "1",
		"toString(getSetting('mutations_sync'))": profile["mutations_sync"],
	} {
		var got proto.ColStr
		require.NoError(t, client.Do(t.Context(), ch.Query{
			Body: "SELECT " + query +
				" AS v SETTINGS limit = 0, offset = 0, use_query_cache = 0, extremes = 0, session_timezone = 'UTC'" +
				", output_format_native_encode_types_in_binary_format = 0",
			Result:   proto.Results{{Name: "v", Data: &got}},
			OnResult: func(context.Context, proto.Block) error { return nil },
		}), query)
		require.Equal(t, want, got.First(), query)
	}
}

func chain(t *testing.T, s *stack.Stack) {
	t.Helper()
	cfg := settings(t, s, "all")
	cfg.Engagement = core.CountedFrom{Likes: "cdc", Comments: "events"}
	cfg.Feed.RepeatSeen = false
	p := start(t, cfg)
	world(t, s)
	// Posts 61 to 63 are alike but for what the viewer did with them; likes are of every hour of three days.
	exec(t, s, `INSERT INTO posts (author_id, created_at) SELECT 3, now() - interval '30 hours' FROM generate_series(1, 3)`)
	exec(t, s, `INSERT INTO likes (user_id, post_id, created_at) SELECT 1 + n % 20, 1 + n / 20, now() - n * interval '1 hour' FROM generate_series(0, 71) n`)
	exec(t, s, `INSERT INTO comments (post_id, author_id) SELECT n, 2 FROM generate_series(1, 5) n`)
	exec(t, s, `DELETE FROM likes WHERE user_id = 2`)

	var differ string
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(differ)
		}
	})
	p.eventually("the changes are copied", func() bool {
		differences, _, err := tables.Differences(t.Context(), s.Postgres, s.ClickHouse)
		require.NoError(t, err)
		differ = differences
		return differ == ""
	})
	exec(t, s, `INSERT INTO likes (user_id, post_id, created_at) VALUES (18, 60, now() + interval '1 year'), (19, 60, '2150-01-01'), (20, 60, now())`)
	p.eventually("likes of any time are copied",
		func() bool { return s.Count(t, "SELECT count() AS n FROM likes FINAL WHERE post_id = 60") == 3 })

	producer := kafka.NewProducer(s.KafkaConfig)
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	now := time.Now().UTC()
	today := now.Truncate(24 * time.Hour)
	at := func(user core.ID, action string, post core.ID, when time.Time) {
		t.Helper()
		require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{
			Topic: s.KafkaConfig.Topic("events"), Key: sarama.StringEncoder(user.String()), Timestamp: when,
			Value: sarama.StringEncoder(fmt.Sprintf(`{"v":1,"event_id":%q,"action":%q,"post_id":%q,"author_id":"3","occurred_at":%q}`,
				uuid.NewString(), action, post, when.Format(time.RFC3339Nano))),
		}))
	}
	at(viewer, "view", 61, now.Add(-23*time.Hour))
	at(viewer, "hide", 62, now.Add(-30*24*time.Hour+30*time.Minute)) // of the last day of which anything counts
	wantDays, wantHours := map[string]int{}, map[string]int{}
	for _, when := range []time.Time{
		today.AddDate(0, 0, -1).Add(-time.Millisecond), today.AddDate(0, 0, -1),
		today.Add(-time.Millisecond), today, now,
	} {
		at(15, "view", 63, when)
		wantDays[when.Format(time.DateOnly)]++
		wantHours[fmt.Sprint(when.Truncate(time.Hour).Unix())]++
	}
	for range 3 { // none of it counts again
		at(15, "view", 63, today)
	}
	wantDays[today.Format(time.DateOnly)] += 3
	wantHours[fmt.Sprint(today.Unix())] += 3

	p.eventually("the events are applied",
		func() bool { return s.Count(t, "SELECT sum(rows) AS n FROM event_ranges") == 10 })
	require.Equal(t, wantDays, buckets(t, s,
		"SELECT concat(toString(day), ' ', toString(sum(views))) AS line FROM user_author_90d WHERE user_id = 15 GROUP BY day"))
	require.Equal(t, wantHours, buckets(t, s,
		"SELECT concat(toString(toUnixTimestamp(hour)), ' ', toString(sum(views))) AS line FROM post_metrics_1h WHERE post_id = 63 GROUP BY hour"))

	require.NoError(t, s.Servers.Redis.Kill())
	require.NoError(t, s.Servers.Redis.Start(t.Context())) // it knows nothing any more
	var shown page
	p.eventually("a feed is computed", func() bool {
		_, shown = p.feed(viewer, "limit=100&explain=true")
		return !shown.Degraded && slices.Contains(shown.posts(), 63) && shown.likes(60) > 0
	})
	require.NotContains(t, shown.posts(), core.ID(61), "it was seen 23 hours ago")
	require.NotContains(t, shown.posts(), core.ID(62), "it was hidden not yet 30 days ago")
	fresh := insertPost(t, s, 3)
	p.likeSeen(fresh, 3)
	exec(t, s, `INSERT INTO likes (user_id, post_id) VALUES ($1, $2)`, int64(viewer), int64(fresh))
	p.eventually("a new post is shown, and its like counts once", func() bool {
		_, shown = p.feed(viewer, "limit=100&explain=true")
		return shown.likes(fresh) == 1
	})
	require.Equal(t, 3, shown.likes(60), "likes that are dated ahead count when they arrive")
	exec(t, s, `DELETE FROM posts WHERE id = 60`)
	p.eventually("a deleted post leaves", func() bool {
		_, shown = p.feed(viewer, "limit=100&explain=true")
		return shown.likes(60) == -1
	})

	differences, err := app.Resync(t.Context(), cfg, "", false, 2*time.Second, t.Output())
	require.NoError(t, err)
	require.Zero(t, differences)
	require.NoError(t, app.WithAudit(t.Context(), cfg, func(service *audit.Service) error {
		report, err := service.Run(t.Context(), audit.Options{Since: 72 * time.Hour})
		require.True(t, report.OK(), "%+v", report)
		return err
	}))
	_, err = app.Erase(t.Context(), cfg, []core.Key{{ID: 15}})
	require.NoError(t, err)
	for _, table := range []string{"events", "user_author_90d"} {
		require.Zero(t, s.Count(t, "SELECT count() AS n FROM "+table+" WHERE user_id = 15"), table)
	}
}

// buckets reads lines of a name and a count.
func buckets(t *testing.T, s *stack.Stack, query string) map[string]int {
	t.Helper()
	found, err := tables.Copies(t.Context(), s.ClickHouse, query)
	require.NoError(t, err)
	all := map[string]int{}
	for _, line := range found {
		var name string
		var n int
		_, err := fmt.Sscan(line, &name, &n)
		require.NoError(t, err)
		all[name] = n
	}
	return all
}
