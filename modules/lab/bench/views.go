package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// question is asked of a view, and of the raw events.
type question struct {
	name      string
	view, raw string
	params    func(n int) map[string]any
	bounded   bool // it is one of those that have a bound
}

// views asks what the program asks of the two views, and the same of the raw events.
func views() Bench {
	return Bench{
		Name: "views",
		Says: "questions to post_metrics_1h and user_author_90d, against the same over raw events",
		Run: func(ctx context.Context, on *Stage) error {
			for _, q := range on.questions() {
				view, rows, err := on.ask(ctx, q.name, q.view, q.params, 100, 10*time.Second)
				if err != nil {
					return err
				}
				raw, rawRows, err := on.ask(ctx, q.name+", raw events", q.raw, q.params, 20, 20*time.Second)
				if err != nil {
					return err
				}
				required, aim := 200.0, 50.0
				if !q.bounded {
					required, aim = none, none
				}
				f := on.Figure(q.name+": P95", "ms", required, aim, view.P95)
				f.Note = fmt.Sprintf("raw events %s ms, %s× as long; rows read %d and %d", short(raw.P95),
					short(raw.P50/max(view.P50, 0.001)), rows, rawRows)
			}
			return nil
		},
	}
}

// questions are those of the program, with the bounds that they are held to.
func (on *Stage) questions() []question {
	now := on.World.Now
	since := func(ago time.Duration) func(int) map[string]any {
		return func(int) map[string]any {
			return map[string]any{
				"since": now.Add(-ago).Truncate(time.Hour).Unix(),
				"hour":  now.Truncate(time.Hour).Unix(),
			}
		}
	}
	const counts = `sumIf(toInt64(effect), action = 'impression') AS exposures, sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
		sumIf(toInt64(effect), action = 'comment') AS comments, sumIf(toInt64(effect), action = 'share') AS shares`
	return []question{
		{
			name: "post_metrics_1h: 150 posts in 24 h", bounded: true,
			view: `SELECT post_id, sum(exposures) AS exposures, sum(likes) AS likes, sum(comments) AS comments, sum(shares) AS shares FROM post_metrics_1h
				WHERE hour >= toDateTime({since:Int64}, 'UTC') AND post_id IN {posts:Array(Int64)} GROUP BY post_id`,
			raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') AND post_id IN {posts:Array(Int64)} GROUP BY post_id`,
			params: func(n int) map[string]any {
				posts := make([]string, 150)
				for i := range posts {
					posts[i] = strconv.Itoa(max(1, on.World.Posts-(i*97+n*31)%max(1, on.World.Posts)))
				}
				return map[string]any{
					"since": now.Add(-24 * time.Hour).Truncate(time.Hour).Unix(),
					"posts": "[" + strings.Join(posts, ",") + "]",
				}
			},
		},
		{
			name: "post_metrics_1h: every post in this hour", bounded: true, params: since(0),
			view: sql.ClickHouse("feed_hot_engagement"),
			raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') GROUP BY post_id`,
		},
		{
			name: "post_metrics_1h: every post in 24 h (all of the view)", params: since(24 * time.Hour),
			view: sql.ClickHouse("feed_hot_engagement"),
			raw: `SELECT post_id, ` + counts +
				` FROM events WHERE occurred_at >= toDateTime({since:Int64}, 'UTC') GROUP BY post_id`,
		},
		{
			name: "user_author_90d: a user's authors", bounded: true,
			view: sql.ClickHouse("feed_viewer_affinity"),
			raw: `SELECT author_id, countIf(action = 'view') AS views, countIf(action = 'click') AS clicks,
				sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
				sumIf(toInt64(effect), action = 'comment') AS comments,
				sumIf(toInt64(effect), action = 'share') AS shares,
				countIf(action IN ('hide', 'not_interested')) AS hides
				FROM events
				WHERE user_id = {viewer:Int64} AND user_id != author_id AND occurred_at >= now() - INTERVAL 90 DAY
				GROUP BY author_id
				ORDER BY hides > 0 DESC, likes + comments + shares DESC, views DESC, author_id LIMIT {limit:UInt64}`,
			params: func(n int) map[string]any {
				return map[string]any{"viewer": 1 + n*37%on.World.Users, "limit": 500, "days": 90}
			},
		},
	}
}

// ask puts a question up to n times, one after the other, and tells how many rows one answer read.
func (on *Stage) ask(ctx context.Context, name, query string, params func(int) map[string]any, n int,
	most time.Duration,
) (*Percentiles, uint64, error) {
	watch := on.watch(nil)
	t, rows, began := newTally(), uint64(0), time.Now()
	for i := range n {
		if time.Since(began) > most && i > 2 {
			break
		}
		rows = 0
		var results proto.Results
		started := time.Now()
		err := on.ClickHouse.Read(ctx, clickhouse.Query{Name: "bench", Query: ch.Query{
			Body: query, Parameters: clickhouse.Params(params(i)), Result: results.Auto(),
			Settings:   []ch.Setting{{Key: "max_threads", Value: "1"}},
			OnResult:   func(context.Context, proto.Block) error { return nil },
			OnProgress: func(_ context.Context, p proto.Progress) error { rows += p.Rows; return nil },
		}})
		if err != nil {
			watch.end()
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		if i > 0 { // the first one reads the disk
			t.add("", time.Since(started), "", "")
		}
	}
	p := &Phase{
		Name: name, Seconds: time.Since(began).Seconds(),
		Latency: map[string]*Percentiles{all: percentiles(t.times[all])}, Usage: watch.end(),
	}
	p.Requests = p.Latency[all].Count
	on.report.Phases = append(on.report.Phases, p)
	return p.Latency[all], rows, nil
}
