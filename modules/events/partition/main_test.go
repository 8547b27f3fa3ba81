package partition

import (
	"flag"
	"testing"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // most of the time they wait
		panic(err)
	}
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Kafka))
}
