package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	tty "golang.org/x/term"
)

// screen is where the tour is told. A writer that fails is no reason to stop the tour.
type screen struct {
	out    io.Writer
	colour bool
}

func newScreen(out io.Writer) *screen {
	file, ok := out.(*os.File)
	return &screen{out: out, colour: ok && tty.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""}
}

// The styles, as ANSI codes.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	cyan   = "36"
)

func (s *screen) paint(style, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (s *screen) line(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}

// say is a line inside a step.
func (s *screen) say(format string, args ...any) { s.line("   "+format, args...) }

// gap parts what is said inside a step.
func (s *screen) gap() { s.line("") }

func (s *screen) title(number int, name string) {
	s.line("")
	s.line("%s", s.paint(bold, fmt.Sprintf("%d  %s", number, name)))
}

func (s *screen) held(code string) {
	s.line("   %s %s", s.paint(green, "held"), s.paint(dim, "code: "+code))
}

func (s *screen) failed(err error) { s.line("   %s %v", s.paint(red, "did not hold:"), err) }

// bar draws a share of width.
func bar(share float64, width int) string {
	full := int(share*float64(width) + 0.5)
	full = max(0, min(full, width))
	return strings.Repeat("█", full) + strings.Repeat("·", width-full)
}

// short writes a duration for people.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
}
