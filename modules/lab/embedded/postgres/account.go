package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as. It refuses to run as root. A nil
// account stands for the user that we are.
type account struct {
	uid, gid uint32
}

// unprivileged picks an account when we are root. It has to be one with a name,
// because initdb looks it up; none is made.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"nobody", "postgres", "daemon"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &account{uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("postgres does not run as root, and there is no user nobody, postgres or daemon to run it as: " +
		"run feedrank as another user, or point postgres.dsn at a server of your own")
}

// apply makes cmd run as the account, with an environment that is the same
// everywhere: PGDATA and its like would change what PostgreSQL does.
func (a *account) apply(cmd *exec.Cmd) {
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	if a != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
}

// own hands path to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("hand %s to uid %d: %w", path, a.uid, err)
	}
	return nil
}

// mayUse tells whether the account can search path and every folder above it
// and read (and so, for a folder, list) path itself.
func (a *account) mayUse(path string) bool {
	if a == nil {
		return true
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if !a.has(path, 0o5) {
		return false
	}
	return a.mayReach(filepath.Dir(path))
}

// mayReach tells whether the account can search folder and all above it.
func (a *account) mayReach(folder string) bool {
	if a == nil {
		return true
	}
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return false
	}
	for {
		if !a.has(folder, 0o1) {
			return false
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return true
		}
		folder = parent
	}
}

// has tells whether path grants the account the wanted bits (4 read, 1 search).
func (a *account) has(path string, want os.FileMode) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	bits := info.Mode().Perm()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case stat.Uid == a.uid:
			bits >>= 6
		case stat.Gid == a.gid:
			bits >>= 3
		}
	}
	return bits&want == want
}
