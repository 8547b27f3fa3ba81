package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/feedrank/feedrank/test/chromium"
)

// newBrowser is a Chromium that is logged in.
func newBrowser(ctx context.Context, link string) (*chromium.Browser, error) {
	b, err := chromium.Start(ctx, "once=none", "login/oidc")
	if err != nil {
		return nil, err
	}
	ctx, cancel := b.Within(shotWithin)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(link), chromedp.WaitVisible("#content")); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// logOut ends the session.
func logOut(b *chromium.Browser, base string) error {
	ctx, cancel := b.Within(shotWithin)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(base+"/console/feed"), chromedp.WaitVisible("#content"),
		chromedp.Click(`.who button`), chromedp.WaitVisible(`input[name="token"]`))
}

// shotWithin bounds one picture.
const shotWithin = 20 * time.Second

// shoot takes a picture of an address after an action, which may be nil.
func shoot(b *chromium.Browser, address string, l chromium.Look, act chromedp.Action[chromedp.Void],
	file string,
) error {
	ctx, cancel := b.Within(shotWithin)
	defer cancel()
	err := chromedp.Do(ctx, chromium.As(l), chromedp.Navigate(address), chromedp.WaitVisible("#content"))
	if err == nil && act != nil {
		err = chromedp.Do(ctx, act, chromedp.WaitVisible("#content"))
	}
	if err != nil {
		return err
	}
	wide, err := chromedp.Run(ctx, chromium.Overflow())
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
