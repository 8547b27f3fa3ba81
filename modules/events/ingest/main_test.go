package ingest

import (
	"testing"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	stack.Waiting(m, embeddedtest.Only(embedded.Kafka))
}
