package chromium

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// find is the path of a Chromium, which is installed where there is none.
func find(ctx context.Context) (string, error) {
	if path := installed(); path != "" {
		return path, nil
	}
	if err := install(ctx); err != nil {
		return "", fmt.Errorf("there is no Chromium, and it cannot be installed: %w", err)
	}
	if path := installed(); path != "" {
		return path, nil
	}
	return "", errors.New("chromium was installed, and is not in the path")
}

func installed() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// install takes Debian's package.
func install(ctx context.Context) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install it by hand: %w", err)
	}
	for _, args := range [][]string{
		{"apt-get", "update", "-q"},
		{"apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"},
	} {
		if os.Geteuid() != 0 {
			args = append([]string{"sudo", "-n"}, args...)
		}
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, out)
		}
	}
	return nil
}
