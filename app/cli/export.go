package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase/export"
)

// exportCommand hands out what is held of a person.
func exportCommand(load loader) *cobra.Command {
	var name, file string
	var patience time.Duration
	c := &cobra.Command{
		Use: "export --user ID", Short: "Hand out what feedrank holds of a person", Args: exactly(0),
		Long: "export writes what a person did and has, as ClickHouse, Redis and our schema in PostgreSQL hold it: JSON\n" +
			"lines, of which the last says whether all of it is there. What others did to them, such as who blocks\n" +
			"them, is the others' and not in it. That it was done is recorded.",
	}
	read := load(c)
	c.Flags().StringVar(&name, "user", "", "the user's id")
	c.Flags().StringVarP(&file, "out", "o", "", "write here, readable by you alone; else to the standard output")
	c.Flags().DurationVar(&patience, "timeout", time.Hour, "for all of it")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		cfg, err := read()
		if err != nil {
			return err
		}
		user, err := cfg.Keys.Users.Parse(name)
		if err != nil {
			return Usagef("--user: %w", err)
		}
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		defer cancel()
		cfg.ClickHouse.QueryTimeout = max(cfg.ClickHouse.QueryTimeout, patience)
		if file == "" {
			return exported(ctx, cfg, user, c.OutOrStdout(), c.ErrOrStderr())
		}
		out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return Usagef("--out: %w", err)
		}
		defer func() { err = errors.Join(err, out.Close()) }()
		return exported(ctx, cfg, user, out, c.ErrOrStderr())
	}
	return c
}

func exported(ctx context.Context, cfg config.Config, user core.Key, out, says io.Writer) error {
	buffer := bufio.NewWriter(out)
	progress := app.NewProgress(says)
	var tail export.Tail
	err := app.Recorded(ctx, cfg, app.Operation{What: "people.export"}, says, func() (any, error) {
		var err error
		tail, err = app.Export(ctx, cfg, user, buffer, func(place string, rows int64) {
			progress.Say(fmt.Sprintf("%s: %d rows", place, rows))
		})
		return json.RawMessage(`{}`), err // nothing that would name the person
	})
	progress.End()
	for _, place := range slices.Sorted(maps.Keys(tail.Rows)) {
		_, _ = fmt.Fprintf(says, "%8d %s\n", tail.Rows[place], place) // what cannot be said is in the last line, too
	}
	return errors.Join(err, buffer.Flush())
}
