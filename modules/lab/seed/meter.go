package seed

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// lineEvery is how often progress is told where no terminal shows a bar.
const lineEvery = 5 * time.Second

// meter shows how far the seeding is and remembers what each stage took.
type meter struct {
	out    io.Writer
	bar    bool // out is a terminal
	stages []Stage
}

func newMeter(out io.Writer) *meter {
	file, ok := out.(*os.File)
	return &meter{out: out, bar: ok && term.IsTerminal(int(file.Fd()))}
}

// stage is one kind of rows on its way.
type stage struct {
	meter   *meter
	name    string
	total   int // 0: not known
	done    int
	started time.Time
	told    time.Time
	bar     *progressbar.ProgressBar // nil without a terminal
}

func (m *meter) begin(name string, total int) *stage {
	s := &stage{meter: m, name: name, total: total, started: time.Now(), told: time.Now()}
	if m.bar {
		most := int64(total)
		if total == 0 {
			most = -1 // a spinner
		}
		s.bar = progressbar.NewOptions64(most, progressbar.OptionSetWriter(m.out),
			progressbar.OptionSetDescription(fmt.Sprintf("%-18s", name)),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
			progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return s
}

func (s *stage) add(n int) {
	s.done += n
	switch {
	case s.bar != nil:
		_ = s.bar.Add(n) // a bar that cannot be drawn is no reason to stop
	case time.Since(s.told) >= lineEvery:
		s.told = time.Now()
		s.tell("...")
	}
}

func (s *stage) end() {
	if s.bar != nil {
		_ = s.bar.Finish() // as above
	}
	s.tell("")
	elapsed := time.Since(s.started)
	s.meter.stages = append(s.meter.stages, Stage{
		Name: s.name, Rows: s.done, Seconds: elapsed.Seconds(),
		PerSecond: float64(s.done) / max(elapsed.Seconds(), 1e-6),
	})
}

func (s *stage) tell(more string) {
	elapsed := time.Since(s.started).Seconds()
	of := ""
	if more != "" && s.total > 0 {
		of = fmt.Sprintf(" of %d", s.total)
	}
	// as above
	_, _ = fmt.Fprintf(s.meter.out, "  %-18s %9d%s%s  %6.1f s  %8.0f /s\n", s.name, s.done, of, more, elapsed,
		float64(s.done)/max(elapsed, 1e-6))
}
