package supply

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pin runs pin.sh on copies of the files that name images, with something else in docker's place: it answers as told.
func pin(t *testing.T, root, docker string, arguments ...string) (string, error) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+docker+"\n"), 0o700))
	script, err := filepath.Abs("pin.sh")
	require.NoError(t, err)
	command := exec.Command(script, arguments...)
	command.Env = append(os.Environ(), "ROOT="+root, "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestImagesArePinnedByDigest(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "config"), 0o700))
	files := []string{"Dockerfile", "config/compose.yaml"}
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		return string(text)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("../..", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, file), text, 0o600))
	}
	out, err := pin(t, root, `echo "no such image"`)
	require.Error(t, err)
	require.Contains(t, out, "docker tells no digest")
	_, err = pin(t, root, "", "--check")
	require.Error(t, err, "nothing was written")

	const last = `for last; do :; done; ` // the tag
	digest := func(tag string) string { return fmt.Sprintf("%s@sha256:%x", tag, sha256.Sum256([]byte(tag))) }
	answer := last + `printf 'sha256:%s' "$(printf %s "$last" | sha256sum | cut -d' ' -f1)"`
	out, err = pin(t, root, answer)
	require.NoError(t, err, out)
	require.Contains(t, read("Dockerfile"), "FROM "+digest("golang:1.26")+" AS build")
	require.Contains(t, read("Dockerfile"), "FROM scratch\n")
	require.Contains(t, read("config/compose.yaml"), "image: "+digest("postgres:18")+"\n")
	_, err = pin(t, root, "", "--check")
	require.NoError(t, err)

	// Pinned again, the tag is asked for what it is by then.
	out, err = pin(t, root, last+`printf 'sha256:%064d' 7`)
	require.NoError(t, err, out)
	require.Equal(t, 1, strings.Count(read("Dockerfile"), "golang:1.26@sha256:"+fmt.Sprintf("%064d", 7)))
}
