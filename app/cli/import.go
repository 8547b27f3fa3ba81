package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/importer"
)

// importCommand brings what others have recorded into feedrank.
func importCommand(load loader) *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Bring in what was recorded before feedrank: events"}
	c.AddCommand(importEventsCommand(load))
	return c
}

// importFlags are those of import events.
type importFlags struct {
	format, timeUnit, refused string
	columns, actions          map[string]string
	dryRun, fromStart, asJSON bool
	maxLag                    int64
}

func importEventsCommand(load loader) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use: "events FILE…", Short: "Import events of the past from CSV, JSON lines or Parquet",
		Long: "import events reads files, - is the standard input, and sends each row that is an event to Kafka, as the\n" +
			"API does. Columns are user, post, author, action and occurred_at, and may be event_id, dwell_ms, device,\n" +
			"app_version and feed_session; --columns says what they are called in the files. A row counts once,\n" +
			"however often the command is run: by its event_id, or else by its content and its number in the file.\n" +
			"An import that was interrupted goes on when the same command is run again: a checkpoint is beside the\n" +
			"file. Events older than events.accepted_age are refused.",
		Example: "  feedrank import events clicks.csv --columns user=member_id,post=article_id,occurred_at=ts\n" +
			"  zcat old.jsonl.gz | feedrank import events - --format jsonl --actions opened=view,fav=like --dry-run",
		Args: cobra.MinimumNArgs(1),
	}
	read := load(c)
	flags := c.Flags()
	flags.StringVar(&f.format, "format", "",
		"csv, tsv, jsonl or parquet; else by the names of the files, which may end in .gz")
	flags.StringToStringVar(&f.columns, "columns", nil,
		"what our fields are called in the files: user=member_id,post=article_id")
	flags.StringToStringVar(&f.actions, "actions", nil, "what their actions are: opened=view,fav=like")
	flags.StringVar(&f.timeUnit, "time-unit", "", "what a number in occurred_at counts since 1970: s, ms, us or ns")
	flags.StringVar(&f.refused, "refused", "", "append each refused row and why to this file, as JSON lines")
	flags.BoolVar(&f.dryRun, "dry-run", false, "read and check everything, and send nothing; needs no server")
	flags.BoolVar(&f.fromStart, "from-start", false, "read files from their beginning in spite of their checkpoints")
	flags.Int64Var(&f.maxLag, "max-lag", 100_000,
		"wait while the consumer has more records before it: what people do now waits behind them; 0: never wait")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	c.RunE = func(c *cobra.Command, files []string) error {
		o, err := f.options(files)
		if err != nil {
			return err
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		return f.run(c, cfg, o)
	}
	return c
}

// timeUnits are what numbers of time may count.
var timeUnits = map[string]time.Duration{
	"": 0, "s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond,
}

func (f importFlags) options(files []string) (importer.Options, error) {
	o := importer.Options{
		Files: files, Format: f.format, DryRun: f.dryRun, FromStart: f.fromStart, MaxLag: f.maxLag,
	}
	formats := []string{"", importer.CSV, importer.TSV, importer.JSONL, importer.Parquet}
	if !slices.Contains(formats, f.format) {
		return o, Usagef("--format: want csv, tsv, jsonl or parquet")
	}
	unit, ok := timeUnits[f.timeUnit]
	if !ok {
		return o, Usagef("--time-unit: want s, ms, us or ns")
	}
	o.Form.TimeUnit, o.Form.Columns, o.Form.Actions = unit, map[string]string{}, f.actions
	fields := []string{
		"user", "post", "author", "action", "occurred_at", "event_id", "dwell_ms", "device", "app_version",
		"feed_session",
	}
	for ours, theirs := range f.columns {
		if !slices.Contains(fields, ours) {
			return o, Usagef("--columns: %s is none of %s", ours, strings.Join(fields, ", "))
		}
		if _, twice := o.Form.Columns[theirs]; twice {
			return o, Usagef("--columns: %s is two of our fields", theirs)
		}
		o.Form.Columns[theirs] = ours
	}
	for theirs, ours := range f.actions {
		if _, ok := core.ParseAction(ours); !ok {
			return o, Usagef("--actions %s=%s: %s is no action of ours", theirs, ours, ours)
		}
	}
	if slices.Contains(files, importer.Stdin) && f.format == "" {
		return o, Usagef("--format: say what the standard input is: csv, tsv or jsonl")
	}
	return o, nil
}

func (f importFlags) run(c *cobra.Command, cfg config.Config, o importer.Options) (err error) {
	progress := app.NewProgress(c.ErrOrStderr())
	deps := importer.Deps{Stdin: c.InOrStdin(), Progress: importProgress(progress)}
	if f.refused != "" {
		file, err := os.OpenFile(f.refused, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return Usagef("--refused: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		deps.Refused = file
	}
	if cfg.Events.RequireSession {
		_, _ = fmt.Fprintln(c.ErrOrStderr(),
			"events.require_session is set: impressions without a feed_session count nothing")
	}
	report, err := f.recorded(c.Context(), cfg, o, deps, c.ErrOrStderr())
	progress.End()
	if f.asJSON {
		return errors.Join(err, json.NewEncoder(c.OutOrStdout()).Encode(report))
	}
	return errors.Join(err, report.Print(c.OutOrStdout()))
}

// recorded imports, and has it recorded unless nothing was changed.
func (f importFlags) recorded(ctx context.Context, cfg config.Config, o importer.Options, deps importer.Deps,
	out io.Writer,
) (report importer.Report, err error) {
	if f.dryRun {
		return app.ImportEvents(ctx, cfg, o, deps)
	}
	err = app.Recorded(ctx, cfg, app.Operation{What: "events.import"}, out, func() (any, error) {
		var err error
		report, err = app.ImportEvents(ctx, cfg, o, deps)
		return report, err
	})
	return report, err
}

// importProgress says how far it is, on one line of a terminal.
func importProgress(p *app.Progress) func(importer.Report, string) {
	return func(sofar importer.Report, waitingFor string) {
		var refused int64
		for _, n := range sofar.Refused {
			refused += n
		}
		line := fmt.Sprintf("%d rows, %d sent, %d refused", sofar.Rows, sofar.Sent, refused)
		if waitingFor != "" {
			line += "; waiting: " + oneLine(waitingFor, 80)
		} else if sofar.Seconds > 0 {
			line += fmt.Sprintf("; %.0f rows/s", float64(sofar.Rows-sofar.Earlier)/sofar.Seconds)
		}
		p.Say(line)
	}
}
