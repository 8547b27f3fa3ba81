package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/platform/proc"
)

// elsewhere is the file in DataDir that names the folder which is used instead.
const elsewhere = "location"

// locate returns the folder that holds the data. It is dir, unless PostgreSQL
// must run as another user who cannot reach dir, say because it is below root's
// home: then it is a folder of our own below /var/tmp or /tmp, noted in
// dir/location. Remove removes it.
func locate(dir string, as *account) (string, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil { // PostgreSQL's user must pass through
		return "", fmt.Errorf("postgres data: %w", err)
	}
	note := filepath.Join(dir, elsewhere)
	home, err := noted(note)
	if err != nil {
		return "", err
	}
	if home == "" && as.mayReach(dir) {
		return filepath.Abs(dir)
	}
	for _, base := range []string{"/var/tmp", "/tmp"} {
		if home == "" && as.mayReach(base) {
			home = filepath.Join(base, "feedrank-postgres-"+strings.ToLower(rand.Text()))
		}
	}
	if home == "" {
		return "", fmt.Errorf("postgres runs as uid %d, which can reach neither %s nor /var/tmp nor /tmp: choose another --dir", as.uid, dir)
	}
	// The note first: a folder that nobody knows of would stay for ever.
	if err := os.WriteFile(note, []byte(home+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("postgres data: %w", err)
	}
	if err := os.MkdirAll(home, 0o711); err != nil {
		return "", fmt.Errorf("postgres data: %w", err)
	}
	return home, nil
}

// noted reads the note; no note is an empty path.
func noted(note string) (string, error) {
	text, err := os.ReadFile(note)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("postgres data: %w", err)
	}
	home := strings.TrimSpace(string(text))
	if !filepath.IsAbs(home) || !strings.HasPrefix(filepath.Base(home), "feedrank-postgres-") {
		return "", fmt.Errorf("%s does not name a folder of ours: delete it to begin anew", note)
	}
	return home, nil
}

// AwaitEnd waits until no process uses the data of dir any more. That takes a
// moment only when a supervisor was killed.
func AwaitEnd(ctx context.Context, dir string) error {
	home, err := noted(filepath.Join(dir, elsewhere))
	if err != nil {
		return err
	}
	if home == "" {
		home = dir
	}
	return endStale(ctx, filepath.Join(home, "data"))
}

// Remove removes what Run has put outside dir, once no process uses it.
func Remove(ctx context.Context, dir string) error {
	if err := AwaitEnd(ctx, dir); err != nil {
		return err
	}
	home, err := noted(filepath.Join(dir, elsewhere))
	if err != nil || home == "" {
		return err
	}
	if err := os.RemoveAll(home); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	return nil
}

// endStale ends what a killed supervisor has left running in data. The death
// signal has told it to shut down, and so it mostly only waits.
func endStale(ctx context.Context, data string) error {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	patience := time.Now().Add(6 * time.Second)
	for {
		left, err := proc.WorkingIn(data)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(patience) {
			for _, pid := range left {
				if err := proc.KillTree(pid); err != nil {
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres processes %v still use %s: %w", left, data, context.Cause(ctx))
		case <-poll.C:
		}
	}
}
