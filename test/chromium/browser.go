package chromium

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Look is how somebody looks at a screen.
type Look struct {
	Name          string
	Scheme        string // light or dark, as the viewer prefers
	Width, Height int64
}

// Looks are the three that every screen has to stand.
func Looks() []Look {
	return []Look{
		{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"narrow", "light", 390, 844},
	}
}

// Browser is a Chromium with one tab.
type Browser struct {
	ctx     context.Context
	cancel  context.CancelFunc
	refused []string // parts of addresses that answer with an error, as they should

	mu   sync.Mutex
	said []string // by pages: errors, and what the content policy refused
}

// Start starts one. An answer with an error is a complaint, but for addresses with one of refused in them.
func Start(ctx context.Context, refused ...string) (*Browser, error) {
	path, err := find(ctx)
	if err != nil {
		return nil, err
	}
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:],
		[]chromedp.ExecAllocatorOption{chromedp.NoSandbox, chromedp.ExecPath(path)})
	ctx, stopAllocating := chromedp.NewExecAllocator(ctx, options...)
	b := &Browser{refused: refused}
	b.ctx, b.cancel = chromedp.NewContext(ctx)
	stopTab := b.cancel
	b.cancel = func() { stopTab(); stopAllocating() }
	if err := chromedp.Listen(b.ctx, b.listen); err != nil {
		b.cancel()
		return nil, err
	}
	return b, nil
}

// listen keeps what pages complain of.
func (b *Browser) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.note(e.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		b.note("a dialog was opened: " + e.Message)
	case *log.EventEntryAdded:
		meant := slices.ContainsFunc(b.refused, func(part string) bool { return strings.Contains(e.Entry.URL, part) })
		if e.Entry.Level == log.EntryLevelError && !meant {
			b.note(e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

func (b *Browser) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

// Complaints are what pages should not have caused; nil where all went well.
func (b *Browser) Complaints() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) == 0 {
		return nil
	}
	return errors.New("the pages are not well: " + strings.Join(b.said, "; "))
}

// closeWithin bounds how long a browser may take to end by itself.
const closeWithin = 10 * time.Second

// Close ends it, and waits until it has ended.
func (b *Browser) Close() {
	ctx, cancel := context.WithTimeout(b.ctx, closeWithin)
	defer cancel()
	_ = chromedp.Cancel(ctx) // what is left then is killed
	b.cancel()
}

// Within is the context of actions that take at most so long.
func (b *Browser) Within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, d)
}

// As has pages look so from now on.
func As(l Look) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(l.Width, l.Height), scheme(l.Scheme))
}

// scheme has pages believe that the viewer prefers it.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// Overflow is by how many pixels a page is wider than its window.
func Overflow() chromedp.Action[int] {
	return chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)
}
