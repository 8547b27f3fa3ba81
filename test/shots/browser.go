package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// look is how somebody looks at a screen.
type look struct {
	name          string
	scheme        string
	width, height int64
}

var looks = []look{
	{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"narrow", "light", 390, 844},
}

// browser is a Chromium that is logged in.
type browser struct {
	ctx    context.Context
	cancel []context.CancelFunc

	mu   sync.Mutex
	said []string // by pages: errors, and what the content policy refused
}

func newBrowser(ctx context.Context, link string) (*browser, error) {
	b := &browser{}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	b.cancel = append(b.cancel, cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	b.cancel = append(b.cancel, cancel)
	err := chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.note(e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.URL, "once=none") { // which is refused
				b.note(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return b, chromedp.Do(b.ctx, chromedp.Navigate(link), chromedp.WaitVisible("#content"))
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

func (b *browser) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

func (b *browser) close() {
	for i := len(b.cancel) - 1; i >= 0; i-- {
		b.cancel[i]()
	}
}

// complaints are what pages should not have caused.
func (b *browser) complaints() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) == 0 {
		return nil
	}
	return errors.New("the pages are not well: " + strings.Join(b.said, "; "))
}

// shotWithin bounds one picture.
const shotWithin = 20 * time.Second

func (b *browser) shoot(address string, l look, act chromedp.Action[chromedp.Void], file string) error {
	ctx, cancel := context.WithTimeout(b.ctx, shotWithin)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.EmulateViewport(l.width, l.height), scheme(l.scheme),
		chromedp.Navigate(address), chromedp.WaitVisible("#content"))
	if err == nil && act != nil {
		err = chromedp.Do(ctx, act, chromedp.WaitVisible("#content"))
	}
	if err != nil {
		return err
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](
		`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil {
		return err
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		return err
	}
	if wide > 0 {
		return fmt.Errorf("the page is %d pixels wider than its window", wide)
	}
	return nil
}
