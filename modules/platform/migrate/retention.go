package migrate

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Retention is how long ClickHouse keeps each kind of data, in whole days. Migrations make tables with the defaults;
// Retain changes them.
type Retention struct {
	Events   time.Duration `koanf:"events" validate:"lte=9600h"`   // raw events: at least 720h, since copies and hides are looked up that far back
	Ranges   time.Duration `koanf:"ranges" validate:"lte=9600h"`   // which offsets were applied: a day longer than events, at least
	Sums     time.Duration `koanf:"sums" validate:"lte=9600h"`     // what is counted by post and hour, of events and of the app's tables: a day longer than events, at least
	Affinity time.Duration `koanf:"affinity" validate:"lte=9600h"` // what a user did with an author's posts: at least 2184h, of which affinity reads 90 days
}

const day = 24 * time.Hour

// DefaultRetention is what the migrations say.
func DefaultRetention() Retention {
	return Retention{Events: 30 * day, Ranges: 90 * day, Sums: 90 * day, Affinity: 120 * day}
}

// The windows that the product reads.
const (
	rawWindow      = 30 * day
	affinityWindow = 91 * day // 90 days, the first of them whole
)

// Check refuses what would break a window.
func (r Retention) Check() map[string]string {
	wrong := map[string]string{}
	for key, d := range map[string]time.Duration{
		"events": r.Events, "ranges": r.Ranges, "sums": r.Sums, "affinity": r.Affinity,
	} {
		if d%day != 0 {
			wrong[key] = "want whole days, such as 720h"
		}
	}
	if r.Events < rawWindow {
		wrong["events"] = "want at least 720h: copies of events are recognised, and hides looked up, by 30 days of raw events"
	}
	if r.Ranges < r.Events+day {
		wrong["ranges"] = "want a day more than retention.events: an audit holds each raw event against its range"
	}
	if r.Sums < r.Events+day {
		wrong["sums"] = "want a day more than retention.events: an audit recounts the sums of all raw events"
	}
	if r.Affinity < max(affinityWindow, r.Events+day) {
		wrong["affinity"] = "want at least 2184h, since affinity reads 90 days, and a day more than retention.events"
	}
	return wrong
}

// kept is a table and how long it keeps rows from the time of a column on.
type kept struct {
	table, from string
	days        int
}

func (r Retention) tables() []kept {
	days := func(d time.Duration) int { return int(d / day) }
	return []kept{
		{"events", "toDateTime(occurred_at)", days(r.Events)},
		{"event_ranges", "toDateTime(applied_at)", days(r.Ranges)},
		{"post_metrics_1h", "hour", days(r.Sums)},
		{"reactions_by_hour", "hour", days(r.Sums)},
		{"user_author_90d", "day", days(r.Affinity)},
		{"reactions_by_user", "day", days(r.Affinity)},
	}
}

// Change is a table that keeps its rows for another time than is configured.
type Change struct {
	Table    string
	Was, Now int // days
}

// Retain has the tables keep their rows for as long as is configured; with dryRun it only tells what it would change.
// ClickHouse works the new time into what is stored in the background.
func Retain(ctx context.Context, cfg clickhouse.Config, r Retention, dryRun bool) (changes []Change, err error) {
	if wrong := r.Check(); len(wrong) > 0 { // rows that are gone do not come back
		return nil, fmt.Errorf("clickhouse: retention: %v", wrong)
	}
	client := clickhouse.New(cfg, prometheus.NewRegistry())
	defer client.Close()
	target := clickhouseTarget{client: client, dryRun: dryRun}
	if exists, err := target.exists(ctx); err != nil || !exists {
		return nil, err
	}
	are, err := ttls(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: retention: %w", err)
	}
	for _, want := range r.tables() {
		was, there := are[want.table]
		if !there || was == want.days { // a dry run before the first migration: it is not there
			continue
		}
		if !dryRun {
			if err := target.exec(ctx, fmt.Sprintf("ALTER TABLE %s MODIFY TTL %s + INTERVAL %d DAY DELETE", want.table,
				want.from, want.days)); err != nil {
				return changes, fmt.Errorf("clickhouse: retention of %s: %w", want.table, err)
			}
		}
		changes = append(changes, Change{Table: want.table, Was: was, Now: want.days})
	}
	return changes, nil
}

var interval = regexp.MustCompile(`TTL .*toIntervalDay\((\d+)\)`)

// ttls are how many days each table keeps its rows.
func ttls(ctx context.Context, client *clickhouse.Client) (map[string]int, error) {
	var name, engine proto.ColStr
	days := map[string]int{}
	err := client.Read(ctx, clickhouse.Query{Name: "migrations", Query: ch.Query{
		Body:   "SELECT name, engine_full AS engine FROM system.tables WHERE database = currentDatabase()",
		Result: proto.Results{{Name: "name", Data: &name}, {Name: "engine", Data: &engine}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range name.Rows() {
				if found := interval.FindStringSubmatch(engine.Row(i)); found != nil {
					days[name.Row(i)], _ = strconv.Atoi(found[1]) // digits
				}
			}
			return nil
		},
	}})
	return days, err
}
