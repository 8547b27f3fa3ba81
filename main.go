// Command feedrank is the ranked home feed of a social app: see README.md.
package main

import (
	"os"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

// version is set by the linker.
var version = "dev"

func main() {
	embedded.RunChildIfAsked()
	os.Exit(cli.Main(version))
}
