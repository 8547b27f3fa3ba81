package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// profileFor is how long a profile of the processor is taken from the beginning of each phase.
const profileFor = "5"

// profile takes profiles of each program's processor time and memory into files, while a phase goes on.
// What is returned waits for their end.
func (on *Environment) profile(ctx context.Context, phase string) (wait func() error) {
	if on.Profiles == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		var failed error
		for _, p := range on.programs {
			if p.PID() != 0 {
				file := filepath.Join(on.Profiles, phase+", "+p.Name)
				failed = errors.Join(failed, p.profile(ctx, "profile?seconds="+profileFor, file+".cpu.pprof"),
					p.profile(ctx, "heap", file+".heap.pprof"))
			}
		}
		done <- failed
	}()
	return func() error { return <-done }
}

func (p *Program) profile(ctx context.Context, of, file string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.AdminURL()+"/debug/pprof/"+of, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("profile of %s: %w", p.Name, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d: %s", response.StatusCode, content)
	}
	if err != nil {
		return fmt.Errorf("profile of %s: %w", p.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}
