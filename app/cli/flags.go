package cli

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/config"
)

// Settings are the flags that say where the configuration comes from.
type Settings struct {
	File  string
	Set   []string
	Roles []string
}

// Flags gives a command these flags.
func (s *Settings) Flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.File, "config", "c", os.Getenv("FEEDRANK_CONFIG"),
		"configuration file (YAML); also FEEDRANK_CONFIG")
	c.Flags().StringArrayVar(&s.Set, "set", nil,
		"set a key, over the file and the environment: --set kafka.brokers=a:9092,b:9092")
	c.Flags().StringSliceVar(&s.Roles, "roles", nil,
		"what this process does: all, or some of api, events-consumer, cdc-consumer, cdc-source, jobs, console")
}

// Load reads the configuration; what is named goes under what the operator says.
func (s *Settings) Load(under ...string) (config.Config, error) {
	sources := config.Sources{Under: under, File: s.File, Env: os.Environ(), Set: s.Set}
	for i, role := range s.Roles {
		if i == 0 {
			sources.Set = append(sources.Set, "roles="+role)
		} else {
			sources.Set[len(sources.Set)-1] += "," + role
		}
	}
	return config.Load(sources)
}

func loading(c *cobra.Command) func() (config.Config, error) {
	var s Settings
	s.Flags(c)
	return func() (config.Config, error) { return s.Load() }
}

// loader gives a command the flags that say where the configuration comes from, and returns what reads
// it.
type loader func(*cobra.Command) func() (config.Config, error)

// exactly is how many arguments a command takes.
func exactly(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return Usagef("want %d arguments, not %d", n, len(args))
		}
		return nil
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
		return at, Usagef("--%s: want a time such as 2026-01-31T12:34:56Z, or how long ago, such as 24h", flag)
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
