// Command feedrank is the ranked home feed of a social app: see README.md.
package main

import (
	"os"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/app/lab"
)

// version is set by the linker.
var version = "dev"

func main() {
	lab.RunChildIfAsked()
	os.Exit(cli.Main(version, lab.Commands()...))
}
