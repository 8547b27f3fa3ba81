package demo

import (
	"testing"

	"github.com/feedrank/feedrank/modules/embedded"
	"github.com/feedrank/feedrank/modules/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Postgres)) }
