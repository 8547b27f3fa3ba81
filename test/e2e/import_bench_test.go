package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/importer"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// importedRow is a row of the files that BenchmarkImportEvents imports.
type importedRow struct {
	EventID    string `parquet:"event_id"`
	User       string `parquet:"user"`
	Post       string `parquet:"post"`
	Author     string `parquet:"author"`
	Action     string `parquet:"action"`
	OccurredAt string `parquet:"occurred_at"`
}

// BenchmarkImportEvents imports files into Kafka. Its aim is 200,000 events a second.
func BenchmarkImportEvents(b *testing.B) {
	const rows = 500_000
	s := stack.OfEvents(b)
	cfg := config.Default()
	cfg.Kafka = s.KafkaConfig
	_, err := kafka.EnsureTopics(cfg.Kafka, events.TopicSpecs(cfg.Events, cfg.Kafka), false)
	require.NoError(b, err)
	for _, format := range []string{importer.CSV, importer.JSONL, importer.Parquet} {
		for _, dry := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/dry=%t", format, dry), func(b *testing.B) {
				name := filepath.Join(b.TempDir(), "events."+format)
				writeRows(b, name, format, rows)
				o := importer.Options{Files: []string{name}, FromStart: true, DryRun: dry}
				for b.Loop() {
					report, err := app.ImportEvents(b.Context(), cfg, o, importer.Deps{})
					require.NoError(b, err)
					require.EqualValues(b, rows, report.Sent, "%v", report.Refused)
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

func writeRows(b *testing.B, name, format string, rows int) {
	b.Helper()
	file, err := os.Create(name)
	require.NoError(b, err)
	out := bufio.NewWriterSize(file, 1<<20)
	first := time.Now().Add(-5 * 24 * time.Hour).UTC()
	row := func(n int) importedRow {
		return importedRow{
			EventID: fmt.Sprintf("0197a000-0000-7000-8000-%012x", n), User: fmt.Sprint(n%50_000 + 1),
			Post: fmt.Sprint(n%300_000 + 1), Author: fmt.Sprint(n%7000 + 1), Action: "view",
			OccurredAt: first.Add(time.Duration(n) * 10 * time.Millisecond).Format(time.RFC3339Nano),
		}
	}
	switch format {
	case importer.Parquet:
		w := parquet.NewGenericWriter[importedRow](out)
		for n := range rows {
			_, err := w.Write([]importedRow{row(n)})
			require.NoError(b, err)
		}
		require.NoError(b, w.Close())
	default:
		if format == importer.CSV {
			_, _ = io.WriteString(out, "event_id,user,post,author,action,occurred_at\n")
		}
		for n := range rows {
			r := row(n)
			line := "%s,%s,%s,%s,%s,%s\n"
			if format == importer.JSONL {
				line = `{"event_id":"%s","user":"%s","post":"%s","author":"%s","action":"%s","occurred_at":"%s"}` + "\n"
			}
			_, _ = fmt.Fprintf(out, line, r.EventID, r.User, r.Post, r.Author, r.Action, r.OccurredAt)
		}
	}
	require.NoError(b, out.Flush()) // what could not be written, it says
	require.NoError(b, file.Close())
}
