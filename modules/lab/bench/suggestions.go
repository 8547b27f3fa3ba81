package bench

import (
	"context"
	"time"
)

// suggestions asks for the lists of users who have none, each once: first of a replica that has just begun,
// then of one that has computed the lists of many others. So few a second use little more than the idle
// processes do, which are therefore looked at for as long, and right before.
func suggestions() Bench {
	const path, others = "/api/v1/discover/suggested-users", 4000
	return Bench{
		Name: "suggestions", Says: "whom to follow, of users who have no list yet: from ClickHouse",
		Run: func(ctx context.Context, on *Stage) error {
			rate, lasting, warmUp := on.at(15), on.lasting(30*time.Second), 5*time.Second
			program, err := on.Serve(ctx, "program", "api")
			if err != nil {
				return err
			}
			each := int(rate*(lasting+warmUp).Seconds()) + 2
			before := min(others, on.World.Users-2*each)
			requests, err := on.Viewers(path, 0, before+2*each)
			if err != nil {
				return err
			}
			load := Load{At: program.Addr, Rate: rate, WarmUp: warmUp, For: lasting, Label: servedFrom}
			load.Name, load.Request = "suggestions, just begun", inTurn(requests[:each])
			first, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			on.Tell("%d lists of others", before)
			if err := on.Each(ctx, program.Addr, 4, requests[each:each+before]); err != nil {
				return err
			}
			idle, err := on.Idle(ctx, "idle", lasting)
			if err != nil {
				return err
			}
			load.Name, load.Request = "suggestions", inTurn(requests[each+before:])
			steady, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			on.Note("P95 at "+short(rate)+" RPS", "ms", steady.Latency[all].P95)
			on.Figure("CPU of all processes a list, above idle", "ms", none, 10, steady.above(idle))
			on.Note("  of it the program", "ms", steady.above(idle, "program"))
			on.Note("  of it ClickHouse", "ms", steady.above(idle, "clickhouse"))
			on.Note("of a replica that has just begun: P95", "ms", first.Latency[all].P95)
			on.Note("  CPU of all processes a list, above idle", "ms", first.above(idle))
			on.Note("    of it ClickHouse", "ms", first.above(idle, "clickhouse"))
			on.FigureAtLeast("from ClickHouse", "%", none, 100, 100*steady.Share("clickhouse"))
			on.Note("resident", "MB", float64(steady.Usage["program"].MemoryBytes)/1e6)
			on.Figure("errors", "", 0, 0, float64(first.Failed()+steady.Failed()))
			return nil
		},
	}
}
