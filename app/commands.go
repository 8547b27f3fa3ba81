package app

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/config"
)

// Loader gives a command the flags that say where the configuration comes from, and returns what reads
// it.
type Loader func(*cobra.Command) func() (config.Config, error)

// ErrUsage tells that a flag or an argument is wrong.
var ErrUsage = errors.New("see --help")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w; %w", fmt.Errorf(format, args...), ErrUsage)
}

// exactly is how many arguments a command takes.
func exactly(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("want %d arguments, not %d", n, len(args))
		}
		return nil
	}
}

// counting shows how far something is, and ends its line when it is done.
func counting(out io.Writer, what string) (tell func(done, total int), end func() error) {
	var bar *progressbar.ProgressBar
	var failed error
	return func(done, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
					progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond))
			}
			failed = errors.Join(failed, bar.Set(done))
		}, func() error {
			if bar != nil {
				_, err := fmt.Fprintln(out)
				failed = errors.Join(failed, err)
			}
			return failed
		}
}

// moment reads a time, or how long ago it was.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usagef("--%s: want a time such as 2026-01-31T12:34:56Z, or how long ago, such as 24h", flag)
	}
	return at, nil
}

// oneLine keeps foreign text from breaking a table.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
