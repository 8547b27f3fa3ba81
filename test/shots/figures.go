package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/chromium"
)

// measure says how fast screens come, what the pipeline costs while somebody looks, and how large the console is.
func (s *scene) measure(ctx context.Context, b *chromium.Browser, base string) error {
	for _, screen := range s.screens() {
		if screen.before != nil {
			break // what comes then is slow on purpose
		}
		if screen.act != nil && screen.name != "pipeline" {
			continue
		}
		paints, err := firstPaints(b, base+screen.path)
		if err != nil {
			return fmt.Errorf("%s: %w", screen.name, err)
		}
		_, _ = fmt.Fprintf(os.Stdout, "%-20s first contentful paint %4.0f ms, at most %4.0f ms\n", screen.name,
			paints[len(paints)/2], paints[len(paints)-1])
	}
	cost, err := s.costOfPage(ctx, base+"/console/pipeline")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(os.Stdout, "pipeline             %s of a processor for each page, so %.2f %% of a core for a viewer\n",
		cost.Round(10*time.Microsecond), 100*cost.Seconds())
	return nil
}

// firstPaints are how long it takes until something is to be seen, of several times, in their order.
func firstPaints(b *chromium.Browser, address string) ([]float64, error) {
	ctx, cancel := b.Within(shotWithin)
	defer cancel()
	const times = 7
	paints := make([]float64, times)
	for i := range paints {
		err := chromedp.Do(ctx, chromium.As(chromium.Looks()[0]), chromedp.Navigate("about:blank"),
			chromedp.Navigate(address), chromedp.WaitVisible("#content"))
		if err != nil {
			return nil, err
		}
		for paints[i] == 0 && ctx.Err() == nil { // it is told a moment later
			paints[i], err = chromedp.Run(ctx, chromedp.Evaluate[float64](
				`(performance.getEntriesByName("first-contentful-paint")[0] || {startTime: 0}).startTime`))
			if err != nil {
				return nil, err
			}
			pause(ctx, 20*time.Millisecond)
		}
	}
	slices.Sort(paints)
	return paints, ctx.Err()
}

// costOfPage is the processor's time that a page takes, that of asking for it included: more of it is used while many
// are asked for than while none is.
func (s *scene) costOfPage(ctx context.Context, address string) (time.Duration, error) {
	const window, pages = 20 * time.Second, 400
	token, err := auth.SignOperator(s.dev.Config.Auth, "ana", true, time.Hour, time.Now())
	if err != nil {
		return 0, err
	}
	who := session.Session{Token: token}
	ask := func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		request.AddCookie(who.Cookie(false, time.Hour))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		_, err = io.Copy(io.Discard, response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", address, response.Status)
		}
		return err
	}
	if err := ask(); err != nil {
		return 0, err
	}
	idle := used()
	pause(ctx, window)
	idle = used() - idle
	busy, ticker := used(), time.NewTicker(window/pages)
	defer ticker.Stop()
	for range pages {
		if err := ask(); err != nil {
			return 0, err
		}
		<-ticker.C
	}
	busy = used() - busy
	return max(0, busy-idle) / pages, nil
}

// used is the processor's time of this process so far.
func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // it knows itself
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
