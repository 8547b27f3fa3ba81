//go:build linux

package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNotFetched is returned by Start when fetch.sh has not been run.
var ErrNotFetched = errors.New("the parts of the real stack are missing: run test/real/fetch.sh")

// parts is the folder that fetch.sh fills, below test/real in the working directory or above it.
func parts() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		jars := filepath.Join(folder, "test", "real", ".work", "jars")
		if info, err := os.Stat(jars); err == nil && info.IsDir() {
			return jars, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", ErrNotFetched
		}
		folder = parent
	}
}

// java runs a class of the jars. The flags start fast and stay small.
func java(jars, dir, heap, class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{
		"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true",
		"-XX:-UsePerfData", // no files in /tmp that a kill would leave
		"-Djava.io.tmpdir=" + dir,
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", filepath.Join(jars, "*"), class,
	}, args...)...)
	cmd.Dir = dir
	return cmd
}

// writeProperties writes a Java properties file. Nothing in it needs escaping.
func writeProperties(path string, lines ...string) error {
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	return nil
}
