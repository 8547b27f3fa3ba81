package reads

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// Suggestions asks for the lists of users who have harness.None, each once: first of a replica that has just begun,
// then of one that has computed the lists of many others. So few a second use little more than the idle
// processes do, which are therefore looked at for as long, and right before.
func Suggestions() harness.Bench {
	const path, others = "/api/v1/discover/suggested-users", 4000
	return harness.Bench{
		Name: "suggestions", Says: "whom to follow, of users who have no list yet: from ClickHouse",
		Run: func(ctx context.Context, on *harness.Environment) error {
			rate, lasting, warmUp := on.At(15), on.Lasting(30*time.Second), 5*time.Second
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
			load := harness.Load{At: program.Addr, Rate: rate, WarmUp: warmUp, For: lasting, Label: harness.ServedFrom}
			load.Name, load.Request = "suggestions, just begun", harness.InTurn(requests[:each])
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
			load.Name, load.Request = "suggestions", harness.InTurn(requests[each+before:])
			steady, err := on.Load(ctx, load)
			if err != nil {
				return err
			}
			on.Note("P95 at "+harness.Short(rate)+" RPS", "ms", steady.Latency[harness.All].P95)
			on.Figure("CPU of all processes a list, above idle", "ms", harness.None, 10, steady.Above(idle))
			on.Note("  of it the program", "ms", steady.Above(idle, "program"))
			on.Note("  of it ClickHouse", "ms", steady.Above(idle, "clickhouse"))
			on.Note("of a replica that has just begun: P95", "ms", first.Latency[harness.All].P95)
			on.Note("  CPU of all processes a list, above idle", "ms", first.Above(idle))
			on.Note("    of it ClickHouse", "ms", first.Above(idle, "clickhouse"))
			on.FigureAtLeast("from ClickHouse", "%", harness.None, 100, 100*steady.Share("clickhouse"))
			on.Note("resident", "MB", float64(steady.Usage["program"].MemoryBytes)/1e6)
			on.Figure("errors", "", 0, 0, float64(first.Failed()+steady.Failed()))
			return nil
		},
	}
}
