// Command shots writes pictures of every screen of the console, light, dark and narrow, into a folder: of a seeded
// world on embedded servers, with a block, dead letters, a changed ranking and a server that is away. `make
// console-shots` runs it; it needs Chromium, and installs it on Debian.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/test/chromium"
)

func main() {
	lab.RunChildIfAsked()
	into := flag.String("into", "test/shots/.out", "the folder of the pictures")
	only := flag.String("only", "", "screens whose names begin so")
	figures := flag.Bool("figures", false, "no pictures, but figures: how fast and how large the console is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *into, *only, *figures); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, into, only string, figures bool) error {
	if err := os.MkdirAll(into, 0o750); err != nil {
		return err
	}
	cfg, err := config.Load(config.Sources{Set: append(config.DevDefaults(),
		"http.addr=127.0.0.1:0", "http.admin_addr=127.0.0.1:0", "log.level=error", "console.name_column=name",
		"console.oidc.issuer=https://login.example.invalid", "console.oidc.client_id=feedrank",
		"console.oidc.client_secret=of nobody in particular", "console.oidc.admin_when=ops",
		"console.oidc.redirect_url=https://ops.example.invalid/console/login/oidc")})
	if err != nil {
		return err
	}
	d, err := lab.StartDev(ctx, cfg, "", zap.NewNop())
	if err != nil {
		return err
	}
	defer func() {
		if err := d.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "shots:", err)
		}
	}()
	if _, err := lab.Seed(ctx, d.Config, seed.DefaultOptions(), d.URL(), os.Stdout); err != nil {
		return err
	}
	s, err := prepare(ctx, d)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.other.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "shots:", err)
		}
	}()
	b, err := newBrowser(ctx, d.Program.ConsoleAddress("ana", 10*time.Minute))
	if err != nil {
		return err
	}
	defer b.Close()
	base := "http://" + d.Program.AdminAddr()
	if figures {
		return errors.Join(s.measure(ctx, b, base), measureBinary(ctx), b.Complaints())
	}
	var wrong []error
	for _, screen := range s.screens() {
		if !strings.HasPrefix(screen.name, only) {
			continue
		}
		if screen.before != nil {
			if err := screen.before(ctx); err != nil {
				return fmt.Errorf("%s: %w", screen.name, err)
			}
		}
		if screen.stranger {
			if err := logOut(b, base); err != nil {
				return err
			}
		}
		for _, look := range chromium.Looks() {
			file := filepath.Join(into, screen.name+"-"+look.Name+".png")
			if err := shoot(b, base+screen.path, look, screen.act, file); err != nil {
				wrong = append(wrong, fmt.Errorf("%s, %s: %w", screen.name, look.Name, err))
			}
		}
		_, _ = fmt.Fprintln(os.Stdout, screen.name)
	}
	return errors.Join(append(wrong, b.Complaints())...)
}
