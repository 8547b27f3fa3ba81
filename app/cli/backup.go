package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/backup"
)

const (
	whereClickHouse = "where ClickHouse %s its part: " + backup.Destinations
	backupPatience  = 24 * time.Hour
)

// backupCommand makes a backup.
func backupCommand(load loader) *cobra.Command {
	var to string
	var patience time.Duration
	c := &cobra.Command{
		Use: "backup FOLDER", Short: "Back up ClickHouse and our schema in PostgreSQL", Args: exactly(1),
		Long: "backup has ClickHouse back up raw events, ledger, sums and copies, and writes the rest into a new folder:\n" +
			"what the schema feedrank in PostgreSQL holds, and a manifest with versions, rows and checksums. Events go\n" +
			"on meanwhile. Keep the folder and ClickHouse's part together; both have personal data.",
	}
	read := load(c)
	c.Flags().StringVar(&to, "to", "file", fmt.Sprintf(whereClickHouse, "puts"))
	c.Flags().DurationVar(&patience, "timeout", backupPatience, "for all of it")
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, err := read()
		if err != nil {
			return err
		}
		made, err := whole(c, cfg, patience, app.Operation{What: "backup.make"},
			func(ctx context.Context, progress backup.Progress) (*backup.Manifest, error) {
				return app.Backup(ctx, cfg, args[0], to, progress)
			})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "backed up in %s: %d events, ClickHouse's part is %s of %s\n",
			made.Finished.Sub(made.Begun).Round(time.Millisecond), made.ClickHouse.Tables["events"].Rows,
			made.ClickHouse.Name, made.ClickHouse.To)
		return err
	}
	return c
}

// restoreCommand puts one back.
func restoreCommand(load loader) *cobra.Command {
	var from, only string
	var patience time.Duration
	c := &cobra.Command{
		Use: "restore FOLDER", Short: "Restore a backup into stores that have no rows", Args: exactly(1),
		Long: "restore puts a backup back into a ClickHouse (and a schema feedrank in PostgreSQL) that `feedrank migrate`\n" +
			"has just made, while no role of feedrank runs. A target that has rows or tables of another version is\n" +
			"refused, and so is a damaged backup. The consumers then go on from Kafka where the ledger ends: start\n" +
			"them, then run `feedrank resync` and `feedrank audit`, and erase again whom you erased since the backup.",
	}
	read := load(c)
	c.Flags().StringVar(&from, "from", "", fmt.Sprintf(whereClickHouse, "finds")+"; empty: where it was put")
	c.Flags().StringVar(&only, "only", "", "clickhouse or postgres; empty: both")
	c.Flags().DurationVar(&patience, "timeout", backupPatience, "for all of it")
	c.RunE = func(c *cobra.Command, args []string) error {
		part := backup.Part(only)
		if part != backup.All && part != backup.ClickHouseOnly && part != backup.PostgresOnly {
			return Usagef("--only: want clickhouse or postgres")
		}
		cfg, err := read()
		if err != nil {
			return err
		}
		restored, err := whole(c, cfg, patience, app.Operation{What: "backup.restore", Target: only},
			func(ctx context.Context, progress backup.Progress) (*backup.Manifest, error) {
				return app.Restore(ctx, cfg, args[0], from, part, progress)
			})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "restored the backup of %s: start the consumers, then run "+
			"`feedrank resync` and `feedrank audit`\n", restored.Begun.Format(time.RFC3339))
		return err
	}
	return c
}

// whole does something with a whole backup, shows how far it is, and has it recorded unless nothing was done.
func whole(c *cobra.Command, cfg config.Config, patience time.Duration, as app.Operation,
	do func(context.Context, backup.Progress) (*backup.Manifest, error),
) (m *backup.Manifest, err error) {
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	progress := app.NewProgress(c.ErrOrStderr())
	defer progress.End()
	err = app.Recorded(ctx, cfg, as, c.ErrOrStderr(), func() (any, error) {
		if m, err = do(ctx, progress.Show); m == nil {
			return nil, err
		}
		return json.RawMessage(`{}`), err
	})
	return m, err
}
