package writes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// restored is the database that the backup is put back into.
const restored = "restored"

// Restore is how long a backup of the world takes, and putting it back into an empty ClickHouse.
func Restore() harness.Bench {
	return harness.Bench{
		Name: "restore", Says: "a backup of what ClickHouse holds, and putting it back: time and size", AnyKeys: true,
		Run: func(ctx context.Context, on *harness.Environment) (err error) {
			dir, err := os.MkdirTemp(on.Logs, "backup-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir), drop(context.WithoutCancel(ctx), on)) }()
			if err := drop(ctx, on); err != nil { // of a run that was ended
				return err
			}
			folder, into := filepath.Join(dir, "made"), "clickhouse.database="+restored
			made, err := took(on, "backup", folder, "--to", "disk:backups")
			if err != nil {
				return err
			}
			stored, err := size(ctx, on)
			if err != nil {
				return err
			}
			if _, err := took(on, "migrate", "--set", into); err != nil {
				return err
			}
			back, err := took(on, "restore", folder, "--only", "clickhouse", "--set", into)
			if err != nil {
				return err
			}
			rows, err := eventsOf(folder)
			if err != nil {
				return err
			}
			on.Figure("restoring, with the check of every row", "s", harness.None, harness.None, back.Seconds())
			on.Note("  events a second", "", float64(rows)/back.Seconds())
			on.Note("making the backup", "s", made.Seconds())
			on.Note("  events in it", "", float64(rows))
			on.Note("  its size", "MB", float64(stored)/1e6)
			return nil
		},
	}
}

// took runs a command of the program to its end.
func took(on *harness.Environment, args ...string) (time.Duration, error) {
	began := time.Now()
	if said, err := on.Feedrank(args...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("feedrank %s: %w: %s", args[0], err, said)
	}
	on.Tell("feedrank %s took %s", args[0], time.Since(began).Round(100*time.Millisecond))
	return time.Since(began), nil
}

func drop(ctx context.Context, on *harness.Environment) error {
	return on.ClickHouse.Write(ctx, clickhouse.Query{
		Name: "restore", Query: ch.Query{Body: "DROP DATABASE IF EXISTS " + restored + " SYNC"},
	})
}

// size is how many bytes the last backup takes where it is.
func size(ctx context.Context, on *harness.Environment) (uint64, error) {
	var n proto.ColUInt64
	err := on.ClickHouse.Read(ctx, clickhouse.Query{Name: "restore", Query: ch.Query{
		Body:   "SELECT compressed_size AS n FROM system.backups ORDER BY start_time DESC LIMIT 1",
		Result: proto.Results{{Name: "n", Data: &n}},
	}})
	if err == nil && n.Rows() != 1 {
		err = errors.New("ClickHouse does not know the backup")
	}
	if err != nil {
		return 0, err
	}
	return n.Row(0), nil
}

// eventsOf is how many events a backup has, as its manifest says.
func eventsOf(folder string) (uint64, error) {
	var manifest struct {
		ClickHouse struct {
			Tables map[string]struct{ Rows uint64 }
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return 0, err
	}
	err = json.Unmarshal(text, &manifest)
	return manifest.ClickHouse.Tables["events"].Rows, err
}
