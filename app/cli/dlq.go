package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/events/ledger"
)

// dlqCommand looks at dead letters and deals with them.
func dlqCommand(load loader) *cobra.Command {
	c := &cobra.Command{
		Use: "dlq", Short: "List, show, replay and discard dead letters, and quarantine what blocks a partition",
		Args: exactly(0),
		Long: "A dead letter is a record that a consumer could not apply. An event counts once however often it\n" +
			"is replayed. Changes (the cdc queue) are not replayed: run feedrank resync for their table.",
	}
	c.RunE = func(*cobra.Command, []string) error { return Usagef("say list, show, replay, discard or quarantine") }
	c.AddCommand(dlqList(load), dlqShow(load), dlqReplay(load), dlqDiscard(load), dlqQuarantine(load))
	return c
}

// choice is which letters are meant.
type choice struct {
	queue, state, reason, topic, since, until string
	partition                                 int32
	ids                                       []string
}

func (f *choice) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.reason, "reason", "", "only those with this reason")
	c.Flags().StringVar(&f.topic, "topic", "", "only those from this topic (with its prefix)")
	c.Flags().Int32Var(&f.partition, "partition", -1, "only those from this partition")
	c.Flags().StringVar(&f.since, "since", "", "only those given up since then: a time, or how long ago (24h)")
	c.Flags().StringVar(&f.until, "until", "", "only those given up before then")
	c.Flags().StringSliceVar(&f.ids, "id", nil, "only these, as the list names them")
}

func (f *choice) filter(now time.Time) (deadletter.Filter, error) {
	wanted := deadletter.Filter{Reason: f.reason, Topic: f.topic}
	if f.queue != "" && !slices.Contains(queues, f.queue) {
		return wanted, Usagef("--queue: want events or cdc")
	}
	switch state := deadletter.State(f.state); state {
	case "", "any":
	case deadletter.Open, deadletter.Replayed, deadletter.Discarded:
		wanted.State = state
	default:
		return wanted, Usagef("--state: want open, replayed, discarded or any")
	}
	if f.partition >= 0 {
		wanted.Partition = &f.partition
	}
	for _, text := range f.ids {
		id, err := deadletter.ParseID(text)
		if err != nil {
			return wanted, Usagef("--id %s: %w", oneLine(text, 100), err)
		}
		wanted.IDs = append(wanted.IDs, id)
	}
	var err error
	if wanted.Since, err = moment("since", f.since, now); err != nil {
		return wanted, err
	}
	wanted.Until, err = moment("until", f.until, now)
	return wanted, err
}

// asked is the choice as it is recorded.
func (f *choice) asked() map[string]any {
	asked := map[string]any{"queue": f.queue}
	for name, value := range map[string]string{
		"reason": f.reason, "topic": f.topic, "since": f.since,
		"until": f.until,
	} {
		if value != "" {
			asked[name] = value
		}
	}
	if f.partition >= 0 {
		asked["partition"] = f.partition
	}
	if len(f.ids) > 0 {
		asked["ids"] = f.ids
	}
	return asked
}

// queues are those that there are.
var queues = []string{"events", "cdc"}

// everything tells whether no filter was given at all.
func (f *choice) everything() bool {
	return f.reason == "" && f.topic == "" && f.since == "" && f.until == "" && f.partition < 0 && len(f.ids) == 0
}

func dlqList(load loader) *cobra.Command {
	var f choice
	var limit int
	var after int64
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List dead letters, oldest first", Args: exactly(0)}
	read := load(c)
	f.flags(c)
	c.Flags().StringVar(&f.queue, "queue", "", "events or cdc; without it both")
	c.Flags().StringVar(&f.state, "state", "open", "open, replayed, discarded or any")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, 1 to 10000")
	c.Flags().Int64Var(&after, "after", 0, "go on from where the last list ended")
	c.Flags().BoolVar(&asJSON, "json", false, "one letter a line, as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		wanted, err := f.filter(core.SystemClock{}.Now())
		if err != nil {
			return err
		}
		if limit < 1 || limit > 10000 || after < 0 {
			return Usagef("--limit: want 1 to 10000; --after: want what the last list printed")
		}
		asked := queues
		if f.queue != "" {
			asked = []string{f.queue}
		} else if after > 0 {
			return Usagef("--after: say the --queue that it is a place of")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		return app.WithLetters(cfg, func(s *deadletter.Service) error {
			pages := map[string][]*deadletter.Entry{}
			for _, queue := range asked {
				page, more, _, err := s.List(c.Context(), queue, wanted, deadletter.Oldest, after, limit)
				if err != nil {
					return err
				}
				pages[queue] = page
				if more > 0 {
					_, err = fmt.Fprintf(c.ErrOrStderr(), "there are more: --queue %s --after %d\n", queue, more)
				}
				if err != nil {
					return err
				}
			}
			return printLetters(c.OutOrStdout(), pages, asJSON)
		})
	}
	return c
}

// printLetters prints a page of each queue.
func printLetters(out io.Writer, pages map[string][]*deadletter.Entry, asJSON bool) error {
	table, lines := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), json.NewEncoder(out)
	if !asJSON {
		fmt.Fprintln(table, "QUEUE\tID\tGIVEN UP\tSTATE\tBYTES\tREASON\tDETAIL")
	}
	for _, queue := range queues {
		for _, e := range pages[queue] {
			if asJSON {
				if err := lines.Encode(e); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", queue,
				e.ID(), e.At.UTC().Format(time.RFC3339), e.State, e.Bytes, oneLine(e.Reason, 40),
				oneLine(e.Detail, 100))
		}
	}
	return table.Flush()
}

func dlqShow(load loader) *cobra.Command {
	var queue string
	c := &cobra.Command{Use: "show ID", Short: "Show a dead letter whole, as JSON", Args: exactly(1)}
	read := load(c)
	c.Flags().StringVar(&queue, "queue", "events", "events or cdc")
	c.RunE = func(c *cobra.Command, args []string) error {
		id, err := deadletter.ParseID(args[0])
		if err != nil {
			return Usagef("%w", err)
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		return app.WithLetters(cfg, func(s *deadletter.Service) error {
			e, err := s.Show(c.Context(), queue, id)
			if err != nil {
				return err
			}
			out := json.NewEncoder(c.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(e)
		})
	}
	return c
}

func dlqReplay(load loader) *cobra.Command {
	return dlqAct(load, "replay", "Write open letters to their topic again, as they were",
		func(s *deadletter.Service) operation { return s.Replay })
}

func dlqDiscard(load loader) *cobra.Command {
	return dlqAct(load, "discard", "Mark open letters as dealt with",
		func(s *deadletter.Service) operation { return s.Discard })
}

type operation func(ctx context.Context, queue string, wanted deadletter.Filter, dryRun bool,
	progress func(done, total int)) (deadletter.Outcome, error)

func dlqAct(load loader, verb, short string, of func(*deadletter.Service) operation) *cobra.Command {
	var f choice
	var all, dryRun, asJSON bool
	c := &cobra.Command{Use: verb, Short: short, Args: exactly(0)}
	read := load(c)
	f.flags(c)
	c.Flags().StringVar(&f.queue, "queue", "events", "events or cdc")
	c.Flags().BoolVar(&all, "all", false, "every open letter of the queue, where no filter is given")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only tell how many it would be")
	c.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		wanted, err := f.filter(core.SystemClock{}.Now())
		if err != nil {
			return err
		}
		if f.everything() && !all {
			return Usagef("say which letters: --id, --reason, --topic, --partition, --since, --until, or --all")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		return app.WithLetters(cfg, func(s *deadletter.Service) error {
			progress := app.NewProgress(c.ErrOrStderr())
			tell := func(done, total int) { progress.Show(verb, int64(done), int64(total)) }
			var outcome deadletter.Outcome
			do := func() (any, error) {
				var err error
				outcome, err = of(s)(c.Context(), f.queue, wanted, dryRun, tell)
				progress.End()
				if errors.Is(err, deadletter.ErrNoReplay) || errors.Is(err, deadletter.ErrTooMany) {
					return nil, err
				}
				return outcome, err
			}
			var err error
			if dryRun {
				_, err = do()
			} else {
				err = app.Recorded(c.Context(), cfg, app.Operation{What: "dead_letters." + verb, Asked: f.asked()},
					c.ErrOrStderr(), do)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(outcome)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(),
				"%s: %d letters match, %d done, %d skipped because they were kept in part\n", verb, outcome.Matched,
				outcome.Done, outcome.Skipped)
			return err
		})
	}
	return c
}

func dlqQuarantine(load loader) *cobra.Command {
	var partition int
	var first, last int64
	var patience time.Duration
	c := &cobra.Command{
		Use: "quarantine", Short: "Send events that ClickHouse refuses to the dead letters, so that their partition goes on", Args: exactly(0),
		Long: "A partition whose batch ClickHouse refuses stops alone (feedrank_events_partition_stopped); the log line\n" +
			"names the offsets. quarantine has its owner send those to the dead letters and apply the rest.",
	}
	read := load(c)
	c.Flags().IntVar(&partition, "partition", -1, "of the events topic")
	c.Flags().Int64Var(&first, "first", -1, "the first offset")
	c.Flags().Int64Var(&last, "last", -1, "the last offset; without it only the first")
	c.Flags().DurationVar(&patience, "timeout", 2*time.Minute, "how long the owner may take to answer")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if last < 0 {
			last = first
		}
		if partition < 0 || first < 0 || last < first {
			return Usagef("say --partition, --first and, for more than one offset, --last")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		defer cancel()
		return app.WithOwners(cfg, func(owners *ledger.Owners) error {
			var sent uint64
			operation := app.Operation{
				What: "dead_letters.quarantine", Target: strconv.Itoa(partition),
				Asked: map[string]int64{"first": first, "last": last},
			}
			err := app.Recorded(ctx, cfg, operation, c.ErrOrStderr(), func() (any, error) {
				var err error
				sent, err = owners.Quarantine(ctx, partition, first, last)
				return map[string]uint64{"sent": sent}, err
			})
			if err != nil {
				return err
			}
			if sent == 0 {
				return fmt.Errorf("quarantine: none of these offsets is in a batch that is stuck in partition %d",
					partition)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "quarantined: %d\n", sent)
			return err
		})
	}
	return c
}
