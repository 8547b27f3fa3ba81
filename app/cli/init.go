package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/cdc/propose"
)

// initCommand writes a configuration from what the app's database says.
func initCommand() *cobra.Command {
	var dsn, out string
	var force bool
	c := &cobra.Command{
		Use: "init --connect DSN", Short: "Look at the app's database, and write a configuration with a mapping for it",
		Long: "init guesses by the names of tables and columns, types, keys and foreign keys which tables are users, posts,\n" +
			"follows, comments, likes, blocks, mutes, members of groups and hides, and writes a configuration file with\n" +
			"the reasons. It only reads, the catalog and a few rows. What it cannot know, such as which values of a\n" +
			"status column mean published, it asks in comments that begin with CHECK, and here. The password of the\n" +
			"DSN does not go into the file.\n" +
			"Then run feedrank check-config --connect on it.",
		RunE: func(c *cobra.Command, _ []string) error {
			if dsn == "" {
				return Usagef("--connect: want the DSN of the app's database, as postgres://user:password@host:5432/app")
			}
			if _, err := os.Stat(out); out != "-" && !force && !errors.Is(err, fs.ErrNotExist) {
				return Usagef("--out: %s is there already: add --force, or name another", out)
			}
			ctx, cancel := context.WithTimeout(c.Context(), 2*time.Minute)
			defer cancel()
			file, doubts, err := app.Propose(ctx, dsn)
			for _, d := range doubts {
				if _, err := fmt.Fprintln(c.ErrOrStderr(), propose.Line(d)); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			if out == "-" {
				_, err := fmt.Fprint(c.OutOrStdout(), file)
				return err
			}
			if err := writePrivate(out, file, force); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "wrote %s: look at it, then run feedrank check-config --connect %s\n", out, out)
			return err
		},
	}
	c.Flags().StringVar(&dsn, "connect", os.Getenv("FEEDRANK_POSTGRES__DSN"),
		"the app's database; also FEEDRANK_POSTGRES__DSN, which keeps the password out of lists of processes")
	c.Flags().Lookup("connect").DefValue = "" // it has a password
	c.Flags().StringVar(&out, "out", "feedrank.yaml", "the file to write; -: standard output")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	return c
}

// writePrivate writes a file that only its owner reads. It replaces one that is there only if told to.
func writePrivate(path, text string, replace bool) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".feedrank-init-") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // it is renamed, or of no use
	_, err = temporary.WriteString(text)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	if replace {
		return os.Rename(temporary.Name(), path)
	}
	return os.Link(temporary.Name(), path) // fails if it has come meanwhile
}
