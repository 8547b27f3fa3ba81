package cdc_test

import (
	"testing"

	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }
