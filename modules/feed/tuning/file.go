package tuning

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// File is the configuration file that a ranking can be changed by. Its zero value is no file.
type File struct {
	Path string
	Read func() (rank.Config, error) // the file as it is now, validated
}

// lookEvery is how often the file is looked at for a change.
const lookEvery = time.Second

// byFile is who changed a ranking in the history.
const byFile = "file"

// Watch puts the file's ranking in force when the file changes, and on SIGHUP. What the file said
// before changes nothing: a ranking that was put in force otherwise stays until the file says
// something new.
func (t *Tuner) Watch(ctx context.Context, file File) error {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	said, seen := t.file, stampOf(file.Path)
	asked := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangUps:
			asked = true
		case <-ticker.C:
		}
		now := stampOf(file.Path)
		if !asked && now == seen {
			continue
		}
		if next, done := t.reload(ctx, file, said); done {
			said, seen, asked = next, now, false
		}
	}
}

// stamp tells versions of a file apart.
type stamp struct {
	changed time.Time
	size    int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path) // follows links: a mounted ConfigMap is one
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// reload puts the file's ranking in force if it says something new. It is to be tried again unless
// done: a file that is wrong is not.
func (t *Tuner) reload(ctx context.Context, file File, said rank.Config) (now rank.Config, done bool) {
	cfg, err := file.Read()
	if err != nil {
		t.log.Error("the configuration file is wrong; the ranking stays", zap.String("file", file.Path), zap.Error(err))
		return said, true
	}
	if cfg == said {
		return said, true
	}
	if err := t.Sync(ctx); err != nil {
		t.log.Warn("cannot put the file's ranking in force yet", zap.Error(err))
		return said, false
	}
	inForce := t.live.Get()
	if inForce.Config == cfg { // another replica has read it before us
		return cfg, true
	}
	stale, err := t.fileSaid(ctx, cfg)
	if err != nil {
		t.log.Warn("cannot put the file's ranking in force yet", zap.Error(err))
		return said, false
	}
	if stale { // another replica has, and somebody has changed the ranking since
		return cfg, true
	}
	_, err = t.Change(ctx, Change{Over: inForce.Version, To: cfg, By: byFile, Note: file.Path})
	switch {
	case err == nil:
		return cfg, true
	case core.CodeOf(err) == core.CodeInvalidRequest:
		t.log.Error("the file's ranking is out of range; the one in force stays", zap.Error(err))
		return said, true
	default: // most likely another replica was faster: look again
		t.log.Warn("cannot put the file's ranking in force yet", zap.Error(err))
		return said, false
	}
}

// fileSaid tells whether the last ranking that came from a file is this one.
func (t *Tuner) fileSaid(ctx context.Context, cfg rank.Config) (bool, error) {
	past, err := t.History(ctx, historyLooked)
	if err != nil {
		return false, err
	}
	for _, p := range past { // the newest first
		if p.ChangedBy == byFile {
			return p.Ranking == cfg, nil
		}
	}
	return false, nil
}

// historyLooked is how many changes back a file's is looked for.
const historyLooked = 100
