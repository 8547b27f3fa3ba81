// Package faults puts a network that can be broken between the program and its servers, and holds what
// ARCHITECTURE.md says of every endpoint against what it answers while one or two of them are dead,
// hang, are slow or cut connections.
package faults

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	// The network's own: a connection that is closed while bytes are on their way may leave its pipe behind.
	stack.Main(m, embeddedtest.IgnoreLeaks(
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
	))
}
