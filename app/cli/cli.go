// Package cli is the command line: one file for each command or family of commands.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
)

// The exit codes.
const (
	exitFailed = 1 // it ran and failed
	exitUsage  = 2 // a flag, an argument or the configuration is wrong
)

// ErrUsage tells that a flag or an argument is wrong.
var ErrUsage = errors.New("see --help")

// Usagef says what is wrong with a flag or an argument.
func Usagef(format string, args ...any) error {
	return fmt.Errorf("%w; %w", fmt.Errorf(format, args...), ErrUsage)
}

// Main runs the command line, with more commands than those of production, until it is done or told to stop, and
// returns the exit code.
func Main(version string, more ...*cobra.Command) int {
	app.Version = version
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(more...).ExecuteContext(ctx)
	stop()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "feedrank:", err)
	var mistakes config.Problems
	if errors.As(err, &mistakes) || errors.Is(err, ErrUsage) {
		return exitUsage
	}
	return exitFailed
}

func command(more ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "feedrank",
		Short: "The ranked home feed of a social app, as one program",
		Long: "feedrank takes changes from PostgreSQL and events from clients through Kafka into ClickHouse,\n" +
			"ranks a feed from them, and serves it through Redis.",
		SilenceUsage: true, SilenceErrors: true, Version: app.Version,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w; %w", err, ErrUsage) })
	root.AddCommand(
		serveCommand(), migrateCommand(), initCommand(), checkConfigCommand(), resyncCommand(),
		modulesCommand(), metricsCommand(), tokenCommand(), versionCommand(),
		explainCommand(loading), dlqCommand(loading), auditCommand(loading), rebuildViewsCommand(loading),
		eraseCommand(loading), backupCommand(loading), restoreCommand(loading), doctorCommand(loading),
		importCommand(loading), exportCommand(loading),
	)
	root.AddCommand(more...)
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArguments
		}
	}
	return root
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q; %w", args[0], ErrUsage)
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		RunE: func(c *cobra.Command, _ []string) error {
			commit := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "feedrank %s (commit %s, %s, %s/%s)\n", app.Version, commit,
				runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
