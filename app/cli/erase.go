package cli

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
)

// eraseCommand removes people.
func eraseCommand(load loader) *cobra.Command {
	var names []string
	var patience time.Duration
	var asJSON, yes bool
	c := &cobra.Command{
		Use: "erase --user ID", Short: "Remove a person from all that feedrank holds, for ever", Args: exactly(0),
		Long: "erase removes what names a person from ClickHouse, Redis and our schema in PostgreSQL, and has nothing of\n" +
			"theirs stored any more, whatever comes later. It cannot be taken back. Delete the person in the app's\n" +
			"database first. An events consumer must be running: the counts are made without the person's events.\n" +
			"An erasure that was interrupted goes on when the same command is run again. Topics of Kafka keep what\n" +
			"they have until their retention ends: the report says how long.",
	}
	read := load(c)
	c.Flags().StringSliceVar(&names, "user", nil,
		"the user's id; may be given several times, or as a list: 1000 people at most go at once, at the price of one")
	c.Flags().DurationVar(&patience, "timeout", 6*time.Hour, "for all of it; it can be run again")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.Flags().BoolVar(&yes, "yes", false, "yes, for ever: without it, nothing is done")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case len(names) == 0 || len(names) > erase.MaxUsers:
			return Usagef("--user: want 1 to %d ids", erase.MaxUsers)
		case !yes:
			return Usagef("an erasure cannot be taken back: add --yes")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		users := make([]core.Key, len(names))
		for i, name := range names {
			if users[i], err = cfg.Keys.Users.Parse(name); err != nil {
				return Usagef("--user %s: %w", name, err)
			}
		}
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		defer cancel()
		var report erase.Report
		err = app.Recorded(ctx, cfg, app.Operation{What: "people.erase"}, c.ErrOrStderr(), func() (any, error) {
			var err error
			report, err = app.Erase(ctx, cfg, users)
			return erased{len(users), report.Again, report.Finished}, err
		})
		if asJSON {
			lines := json.NewEncoder(c.OutOrStdout())
			lines.SetIndent("", "  ")
			return errors.Join(err, lines.Encode(report))
		}
		return errors.Join(err, report.Print(c.OutOrStdout()))
	}
	return c
}

// erased is what is recorded of an erasure: nothing that would name the person.
type erased struct {
	People   int  `json:"people"`
	Again    bool `json:"again"`
	Finished bool `json:"finished"`
}
