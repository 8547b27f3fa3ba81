package app

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/feedrank/feedrank/modules/core"
)

// Progress shows how far something is: on one line of a terminal, which it writes anew; elsewhere with a line now
// and then. What cannot be written is no reason to stop.
type Progress struct {
	out   io.Writer
	tty   bool
	every time.Duration
	clock core.Clock
	last  time.Time
	drawn bool
}

// NewProgress writes to out.
func NewProgress(out io.Writer) *Progress {
	file, ok := out.(*os.File)
	p := &Progress{
		out: out, tty: ok && term.IsTerminal(int(file.Fd())), every: 10 * time.Second,
		clock: core.SystemClock{},
	}
	p.last = p.clock.Now()
	if p.tty {
		p.every, p.last = 100*time.Millisecond, time.Time{}
	}
	return p
}

// Show tells that done of about total are done.
func (p *Progress) Show(what string, done, total int64) {
	total = max(done, total) // a total may be a guess that was too low
	percent := 100.0
	if total > 0 {
		percent = 100 * float64(done) / float64(total)
	}
	p.Say(fmt.Sprintf("%-24s %3.0f %%  %d of %d", what, percent, done, total))
}

// Say shows a line of its own.
func (p *Progress) Say(line string) {
	now := p.clock.Now()
	if core.Within(p.every, p.last, now) {
		return
	}
	p.last = now
	if !p.tty {
		_, _ = fmt.Fprintln(p.out, line)
		return
	}
	_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", line)
	p.drawn = true
}

// End takes the line away.
func (p *Progress) End() {
	if p.drawn {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}
