package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// log keeps what is sent, and fails when it is told to.
type log struct {
	sent []string
	fail func(sends int) error
	n    int
}

func (l *log) Send(_ context.Context, messages ...*sarama.ProducerMessage) error {
	l.n++
	if l.fail != nil {
		if err := l.fail(l.n); err != nil {
			return err
		}
	}
	for _, m := range messages {
		key, _ := m.Key.Encode()
		value, _ := m.Value.Encode()
		l.sent = append(l.sent, string(key)+" "+string(value))
	}
	return nil
}

// ids are those of the events that were sent.
func (l *log) ids(t *testing.T) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for _, sent := range l.sent {
		var e struct {
			ID string `json:"event_id"`
		}
		_, value, _ := strings.Cut(sent, " ")
		require.NoError(t, json.Unmarshal([]byte(value), &e))
		ids[e.ID]++
	}
	return ids
}

type atNoon struct{}

func (atNoon) Now() time.Time { return noon }

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func imported(t *testing.T, l *log, o Options, d Deps) (Report, error) {
	t.Helper()
	o.Topic, o.Log = "events", codec.DefaultLog()
	d.Producer, d.Clock = l, atNoon{}
	return Run(t.Context(), o, d)
}

const head = "user,post,author,action,occurred_at,note\n"

func TestEveryFormatGivesTheSameEvents(t *testing.T) {
	id := uuid.MustParse("0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f")
	want := `7 {"v":1,"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","action":"dwell","post_id":"8","author_id":"9",` +
		`"occurred_at":"2026-01-31T11:00:00.000Z","received_at":"2026-01-31T12:00:00.000Z","dwell_ms":1500,` +
		`"device":"a \"phone\"\u0007"}`
	const csvText = "\xef\xbb\xbfevent_id,user,post,author,action,occurred_at,dwell_ms,device,feed_session\n" +
		"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f,7,8,9,dwell,2026-01-31 11:00:00,1500,\"a \"\"phone\"\"\a\",\n"
	const line = `{"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","user":7,"post":"8","author":9,"action":"dwell",` +
		`"occurred_at":"2026-01-31T12:00:00+01:00","dwell_ms":1500.0,"device":"a \"phone\"\u0007","nested":{"a":[1]}}`
	type row struct {
		EventID  uuid.UUID `parquet:"event_id,uuid"`
		User     int64     `parquet:"user"`
		Post     string    `parquet:"post"`
		Author   int32     `parquet:"author"`
		Action   string    `parquet:"action,dict"`
		Occurred time.Time `parquet:"occurred_at,timestamp(microsecond)"`
		Dwell    *float64  `parquet:"dwell_ms,optional"`
		Device   *string   `parquet:"device,optional"`
		Session  *string   `parquet:"feed_session,optional"`
		Tags     []string  `parquet:"tags,list"`
	}
	dwell, device := 1500.0, "a \"phone\"\a"
	var columns bytes.Buffer
	require.NoError(t, parquet.Write(&columns, []row{{
		EventID: id, User: 7, Post: "8", Author: 9, Action: "dwell", Occurred: noon.Add(-time.Hour), Dwell: &dwell,
		Device: &device, Tags: []string{"a", "b"},
	}}))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(csvText))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, text := range map[string]string{
		"a.csv": csvText, "a.tsv": strings.ReplaceAll(csvText, ",", "\t"), "a.jsonl": "\n" + line,
		"a.parquet": columns.String(), "a.csv.gz": packed.String(),
	} {
		l := &log{}
		report, err := imported(t, l, Options{Files: []string{file(t, name, text)}}, Deps{})
		require.NoError(t, err, name)
		require.Equal(t, []string{want}, l.sent, "%s: %+v", name, report)
	}
	l := &log{}
	_, err = imported(t, l, Options{Files: []string{Stdin}, Format: JSONL}, Deps{Stdin: strings.NewReader(line)})
	require.NoError(t, err)
	require.Equal(t, []string{want}, l.sent)
}

func TestRefusedRowsAreCountedAndWrittenDown(t *testing.T) {
	name := file(t, "a.csv", head+
		"1,2,3,view,2026-01-31T11:00:00Z,\n1,2,3,poke,2026-01-31T11:00:00Z,\n1,2,3\n1,2,3,view,2020-01-31T11:00:00Z,old\n"+
		"1,2,3,\"vi\"ew,2026-01-31T11:00:00Z,\n1,2,4,view,2026-01-31T11:00:00Z,\n")
	var refused bytes.Buffer
	l := &log{}
	report, err := imported(t, l, Options{Files: []string{name}, DryRun: true}, Deps{Refused: &refused})
	require.NoError(t, err)
	require.Empty(t, l.sent, "a dry run")
	require.Equal(t, int64(6), report.Rows)
	require.Equal(t, int64(2), report.Sent)
	require.Equal(t, map[string]int64{"action: unknown_action": 1, "not_a_row": 2, "occurred_at: too_old": 1},
		report.Refused)
	lines := strings.Split(strings.TrimSpace(refused.String()), "\n")
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], `"row":2,"field":"action","code":"unknown_action"`)
	require.Contains(t, lines[2], `\"note\":\"old\"`)
	_, err = os.Stat(name + checkpointSuffix)
	require.ErrorIs(t, err, os.ErrNotExist, "a dry run leaves nothing behind")
	var printed strings.Builder
	require.NoError(t, report.Print(&printed))
	require.Contains(t, printed.String(), "2 events would be sent")
	require.Contains(t, printed.String(), "1 refused: occurred_at: too_old")
}

// many is a file of so many rows with the same content.
func many(rows int) string {
	return head + strings.Repeat("1,2,3,view,2026-01-31T11:00:00Z,\n", rows)
}

var errKilled = errors.New("killed")

func TestAnImportThatWasKilledGoesOnAndSendsTheSameEvents(t *testing.T) {
	const rows = 3*batchRows + 5
	name := file(t, "a.csv", many(rows))
	all := &log{}
	_, err := imported(t, all, Options{Files: []string{name}, FromStart: true}, Deps{})
	require.NoError(t, err)
	require.Len(t, all.ids(t), rows, "rows with the same content are events of their own")
	require.NoError(t, os.Remove(name+checkpointSuffix))

	ctx, kill := context.WithCancelCause(t.Context())
	l := &log{}
	l.fail = func(sends int) error {
		if sends == 3 { // it is in the log, and nobody hears of it
			kill(errKilled)
		}
		return nil
	}
	o := Options{Files: []string{name}, Topic: "events", Log: codec.DefaultLog()}
	dropped := producerFunc(func(ctx context.Context, m ...*sarama.ProducerMessage) error {
		return errors.Join(l.Send(ctx, m...), context.Cause(ctx))
	})
	_, err = Run(ctx, o, Deps{Producer: dropped, Clock: atNoon{}})
	require.ErrorIs(t, err, errKilled)
	require.Len(t, l.sent, 3*batchRows)

	report, err := imported(t, l, Options{Files: []string{name}}, Deps{})
	require.NoError(t, err)
	require.Equal(t, int64(2*batchRows), report.Earlier)
	require.Equal(t, int64(rows), report.Rows)
	require.Equal(t, int64(rows), report.Sent)
	require.Len(t, l.sent, rows+batchRows, "the batch of which nobody heard is sent again")
	ids := l.ids(t)
	require.Len(t, ids, rows)
	for id := range all.ids(t) {
		require.NotZero(t, ids[id], "it is sent under another id")
	}

	report, err = imported(t, l, Options{Files: []string{name}}, Deps{})
	require.NoError(t, err)
	require.Equal(t, report.Rows, report.Earlier)
	require.Len(t, l.sent, rows+batchRows, "a second run sends nothing")
}

type producerFunc func(context.Context, ...*sarama.ProducerMessage) error

func (f producerFunc) Send(ctx context.Context, m ...*sarama.ProducerMessage) error {
	return f(ctx, m...)
}

func TestACheckpointIsOfOneFileOneTargetAndOneForm(t *testing.T) {
	name := file(t, "a.csv", many(10))
	sent := func(o Options, text string) int {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		l := &log{}
		o.Files = []string{name}
		_, err := imported(t, l, o, Deps{})
		require.NoError(t, err)
		return len(l.sent)
	}
	require.Equal(t, 10, sent(Options{}, many(10)))
	require.Equal(t, 2, sent(Options{}, many(12)), "it has grown")
	require.Equal(t, 12, sent(Options{}, strings.ReplaceAll(many(12), "view", "like")), "another file of this name")
	require.Equal(t, 12, sent(Options{}, many(12)))
	require.Equal(t, 12, sent(Options{Into: "another:9092"}, many(12)))
	require.Equal(t, 12, sent(Options{Form: codec.RowForm{Actions: map[string]string{"view": "like"}}}, many(12)))
	require.Equal(t, 5, sent(Options{}, many(5)), "it has become shorter")
	require.NoError(t, os.WriteFile(name+checkpointSuffix, []byte(`{"imp`), 0o600))
	require.Equal(t, 5, sent(Options{}, many(5)), "the checkpoint is half written")
	require.Equal(t, 5, sent(Options{FromStart: true}, many(5)))
}

func TestABatchIsSentUntilKafkaHasIt(t *testing.T) {
	l := &log{fail: func(sends int) error {
		if sends == 1 {
			return errKilled
		}
		return nil
	}}
	var waits []string
	report, err := imported(t, l, Options{Files: []string{file(t, "a.csv", many(3))}}, Deps{
		Progress: func(_ Report, waitingFor string) { waits = append(waits, waitingFor) },
	})
	require.NoError(t, err)
	require.Equal(t, int64(3), report.Sent)
	require.Equal(t, []string{"killed", ""}, waits)
}

func TestAnImportWaitsForTheConsumer(t *testing.T) {
	lags := []int64{500, 101, 100}
	asked := 0
	l := &log{}
	_, err := imported(t, l, Options{Files: []string{file(t, "a.csv", many(3))}, MaxLag: 100}, Deps{
		Lag: func(context.Context) (int64, error) {
			require.Empty(t, l.sent)
			asked++
			return lags[asked-1], nil
		},
	})
	require.NoError(t, err)
	require.Equal(t, len(lags), asked)
	require.Len(t, l.sent, 3)
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	for name, text := range map[string]string{"a.xlsx": "", "a.csv": "", "a.parquet": "PAR1", "a.jsonl.gz": "no gzip"} {
		_, err := imported(t, &log{}, Options{Files: []string{file(t, name, text)}}, Deps{})
		require.ErrorContains(t, err, name)
	}
	_, err := imported(t, &log{}, Options{Files: []string{Stdin}, Format: Parquet}, Deps{})
	require.ErrorIs(t, err, errNotHere)
	long := file(t, "a.jsonl", `{"a":"`+strings.Repeat("x", 2<<20)+"\"}\n"+`{"user":"1"}`)
	report, err := imported(t, &log{}, Options{Files: []string{long}}, Deps{})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"not_a_row": 1, "action: missing": 1}, report.Refused)
}

// nowhere forgets what it is sent.
type nowhere struct{}

func (nowhere) Send(context.Context, ...*sarama.ProducerMessage) error { return nil }

// BenchmarkRows says how fast rows are read, checked and made into records. What Kafka takes is not in it.
func BenchmarkRows(b *testing.B) {
	var text strings.Builder
	text.WriteString(head)
	const rows = 200_000
	for n := range rows {
		fmt.Fprintf(&text, "%d,%d,%d,view,2026-01-31T11:%02d:%02dZ,\n", n%5000+1, n%977+1, n%31+1, n/60%60, n%60)
	}
	for b.Loop() {
		_, err := Run(b.Context(), Options{
			Files: []string{Stdin}, Format: CSV, Topic: "events", Log: codec.DefaultLog(),
		}, Deps{Stdin: strings.NewReader(text.String()), Producer: nowhere{}, Clock: atNoon{}})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

var _ core.Clock = atNoon{}
