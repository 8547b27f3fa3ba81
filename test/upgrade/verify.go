package main

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

var errWrong = errors.New("the upgrade was noticed")

// degradedOfRequests: of so many pages one may be degraded, since a question that a busy machine answers too late makes
// one so. A migration that breaks a version degrades every page that it computes.
const degradedOfRequests = 1000

// drainLimit is how long the last events may take to their rows.
const drainLimit = time.Minute

// verify compares what is left with what was answered, and prints the line of figures.
func (d *drill) verify(ctx context.Context, began time.Time) error {
	p := d.people
	stored, err := d.drained(ctx)
	if err != nil {
		return err
	}
	lost, doubled := 0, 0
	for _, id := range p.accepted {
		switch stored[id] {
		case 0:
			lost++
		case 1:
		default:
			doubled++
		}
	}
	wrongViews, err := d.difference(ctx)
	if err != nil {
		return err
	}
	audits := 0
	for _, args := range [][]string{{"audit"}, {"resync", "--check", "--settle", "2s"}} {
		if _, err := outputOf(d.command(d.after, args...)); err != nil {
			audits++
			say("%v", err)
		}
	}
	for kind, of := range p.examples {
		for _, example := range of {
			say("  %s: %s", kind, example)
		}
	}
	wrong := p.failed.Load() + p.repeated.Load() + wrongViews + int64(lost+doubled+audits) +
		max(0, p.degraded.Load()-p.requests.Load()/degradedOfRequests)
	say("upgrade: from=%s to=%s replaced=%d requests=%d failed=%d degraded=%d repeated=%d repeated_before=%d"+
		" events=%d lost=%d doubled=%d views_wrong=%d changes=%d audits_failed=%d seconds=%.0f",
		d.before.name, d.after.name, d.replaced, p.requests.Load(), p.failed.Load(), p.degraded.Load(),
		p.repeated.Load(), p.repeatedBefore.Load(), len(p.accepted), lost, doubled, wrongViews, p.changes.Load(),
		audits, time.Since(began).Seconds())
	if wrong > 0 {
		return errWrong
	}
	return nil
}

// drained reads how often each event of the drill has a row, once all that were accepted have, or nobody comes any
// more.
func (d *drill) drained(ctx context.Context) (map[uuid.UUID]int, error) {
	for until := time.Now().Add(drainLimit); ; {
		stored, err := d.rows(ctx)
		if err != nil || len(stored) >= len(d.people.accepted) || time.Now().After(until) {
			return stored, err
		}
		if err := worker.Pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (d *drill) rows(ctx context.Context) (map[uuid.UUID]int, error) {
	stored := map[uuid.UUID]int{}
	var id proto.ColUUID
	err := d.on.ClickHouse.Read(ctx, clickhouse.Query{Name: "upgrade", Query: ch.Query{
		Body:   "SELECT event_id FROM events WHERE app_version = '" + mark + "'",
		Result: proto.Results{{Name: "event_id", Data: &id}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range id.Rows() {
				stored[id.Row(i)]++
			}
			return nil
		},
	}})
	return stored, err
}

// difference is how far the view of posts is from the raw table, in all that counts one each.
func (d *drill) difference(ctx context.Context) (int64, error) {
	var n proto.ColInt64
	for until := time.Now().Add(drainLimit); ; { // an event that was ahead of its post is counted a little later
		err := d.on.ClickHouse.Read(ctx, clickhouse.Query{Name: "upgrade", Query: ch.Query{
			Body: `SELECT abs((SELECT sum(exposures + views + clicks) FROM post_metrics_1h)
				- (SELECT sum(toInt64(effect)) FROM events WHERE action IN ('impression', 'view', 'click')))::Int64 AS n`,
			Result: proto.Results{{Name: "n", Data: &n}},
		}})
		if err != nil || n.Row(0) == 0 || time.Now().After(until) {
			return n.Row(0), err
		}
		if err := worker.Pause(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
}
