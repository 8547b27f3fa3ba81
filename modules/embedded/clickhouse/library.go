package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// LibraryEnv names the environment variable that overrides where libchdb is looked for.
const LibraryEnv = "FEEDRANK_LIBCHDB"

// ErrNoLibrary says that there is no libchdb for this platform, or that it was not fetched.
var ErrNoLibrary = errors.New("the embedded ClickHouse engine (libchdb) is not available")

// libraryDir is where `npm ci` puts the packages, relative to the repository.
const libraryDir = "modules/embedded/node_modules/@chdb"

// FindLibrary returns the path of libchdb: the file named by FEEDRANK_LIBCHDB, or the package fetched by `make servers`
// in the working directory, beside the executable, or in any directory above either.
func FindLibrary() (string, error) {
	if p := os.Getenv(LibraryEnv); p != "" {
		if _, err := os.Stat(p); err != nil { //nolint:gosec // whoever runs the program names its library
			return "", fmt.Errorf("%w: %s: %w", ErrNoLibrary, LibraryEnv, err)
		}
		return p, nil
	}
	pkg, ok := libraryPackage(runtime.GOOS, runtime.GOARCH)
	if !ok {
		return "", fmt.Errorf("%w: there is no prebuilt one for %s/%s; %s", ErrNoLibrary, runtime.GOOS, runtime.GOARCH, insteadOfLibrary)
	}
	for _, start := range searchRoots() {
		for dir := start; ; dir = filepath.Dir(dir) {
			p := filepath.Join(dir, libraryDir, pkg, "libchdb.so")
			if _, err := os.Stat(p); err == nil {
				return p, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("%w: run `make servers` to fetch @chdb/%s, or set %s to its libchdb.so; %s", ErrNoLibrary, pkg, LibraryEnv, insteadOfLibrary)
}

const insteadOfLibrary = "to use a ClickHouse server of your own, set clickhouse.addrs (and clickhouse.database, clickhouse.user, clickhouse.password) " +
	"to it and leave clickhouse out of the embedded servers (--only postgres,kafka,redis)"

// libraryPackage is the npm package, without its scope, that carries libchdb for a platform.
func libraryPackage(goos, goarch string) (string, bool) {
	switch goos + "/" + goarch {
	case "linux/amd64":
		return "lib-linux-x64-gnu", true
	case "linux/arm64":
		return "lib-linux-arm64-gnu", true
	case "darwin/arm64":
		return "lib-darwin-arm64", true
	default:
		return "", false
	}
}

func searchRoots() []string {
	var roots []string
	if wd, err := os.Getwd(); err == nil {
		roots = append(roots, wd)
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		roots = append(roots, filepath.Dir(exe))
	}
	return roots
}
