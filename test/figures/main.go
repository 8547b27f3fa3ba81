// Command figures writes the figures of README.md and modules/lab/bench/README.md from the reports of `feedrank bench`:
// what stands there was measured, and says when, with what and on which machine. `make figures` runs it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/feedrank/feedrank/modules/lab/bench"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

func main() {
	root := flag.String("root", ".", "the checkout")
	reports := flag.String("reports", "test/reports", "the folder of the reports")
	flag.Parse()
	if err := write(*root, *reports); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// write replaces what stands between the markers of both documents.
func write(root, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.json")) // in the order of their names
	if err != nil {
		return err
	}
	var reports []*harness.Report
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var r harness.Report
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		reports = append(reports, &r)
	}
	for _, d := range []struct{ file, marker, table string }{
		{"README.md", "main", bench.Headlines(reports)},
		{"modules/lab/bench/README.md", "all", bench.Figures(reports)},
	} {
		file := filepath.Join(root, d.file)
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		replaced, err := bench.ReplaceFigures(string(text), d.marker, d.table)
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		if err := os.WriteFile(file, []byte(replaced), 0o644); err != nil {
			return err
		}
	}
	return nil
}
