package stackdir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ChoosePassword returns the password in dir, made by the first start. Others on
// this machine reach the port, but not the file.
func ChoosePassword(dir string) (string, error) {
	file := filepath.Join(dir, "password")
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("password: %w", err)
	}
	password := strings.ToLower(rand.Text())
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return password, nil
}
