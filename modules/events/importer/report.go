package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/events/codec"
)

// Report says what came of an import.
type Report struct {
	Rows    int64            `json:"rows"`    // of all files, those of earlier runs too
	Sent    int64            `json:"sent"`    // events in Kafka, by earlier runs too; of a dry run, those that would be
	Refused map[string]int64 `json:"refused"` // rows that are no event, by the field and the code
	Earlier int64            `json:"earlier"` // rows of Rows that an earlier run was through with
	Seconds float64          `json:"seconds"`
	DryRun  bool             `json:"dry_run"`
}

// Print writes it for people.
func (r Report) Print(out io.Writer) error {
	verb := "sent"
	if r.DryRun {
		verb = "would be sent"
	}
	_, err := fmt.Fprintf(out, "%d rows, of which %d by an earlier run; %d events %s in %s", r.Rows, r.Earlier, r.Sent,
		verb, time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond))
	if now := float64(r.Rows - r.Earlier); now > 0 && r.Seconds > 0 && err == nil {
		_, err = fmt.Fprintf(out, " (%.0f rows/s)", now/r.Seconds)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
		if err == nil {
			_, err = fmt.Fprintf(out, "\n%10d refused: %s", r.Refused[reason], reason)
		}
	}
	if err == nil {
		_, err = fmt.Fprintln(out)
	}
	return err
}

// refusal is a row that is no event, as it is written down.
type refusal struct {
	File   string `json:"file"`
	Row    int64  `json:"row"` // counted from 1, without the line of names
	Field  string `json:"field,omitempty"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"` // the row, as JSON or as it is in the file
}

// reason is what refused rows are counted by.
func reason(r codec.Rejection) string {
	if r.Field == "" {
		return r.Code
	}
	return r.Field + ": " + r.Code
}

func appendRefusal(b []byte, r refusal) ([]byte, error) {
	line, err := json.Marshal(r)
	return append(append(b, line...), '\n'), err
}
