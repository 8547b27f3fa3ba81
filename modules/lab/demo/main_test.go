package demo

import (
	"testing"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Postgres)) }
