//go:build production

// Package lab says, in what runs in production, where its commands are.
package lab

import (
	"errors"

	"github.com/spf13/cobra"
)

var errNotHere = errors.New("this binary is for production and has no embedded servers, seeds and benches: build one from a checkout (make build)")

// Commands are hidden, and say so.
func Commands() (all []*cobra.Command) {
	for _, name := range []string{"dev", "demo", "embedded", "seed", "bench"} {
		all = append(all, &cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true, Args: cobra.ArbitraryArgs,
			RunE: func(*cobra.Command, []string) error { return errNotHere },
		})
	}
	return all
}

// RunChildIfAsked does nothing: there are no embedded servers.
func RunChildIfAsked() {}
