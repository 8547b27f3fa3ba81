// Package e2e tests the program as a whole, on the embedded servers and through its public interfaces.
package e2e

import (
	"testing"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/test/installed"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	installed.BeIfAsked(func() int { return cli.Main("test") })
	stack.Main(m)
}
