package redis

import (
	"context"

	"github.com/redis/rueidis"
)

// scanCount is how many keys a step of a scan looks at.
const scanCount = 1000

// Scan gives each the keys that match a glob pattern, some at a time and with the node that has them. A key may come
// twice.
func Scan(ctx context.Context, conn rueidis.Client, pattern string,
	each func(node rueidis.Client, keys []string) error,
) error {
	for _, node := range conn.Nodes() {
		for cursor := uint64(0); ; {
			page, err := node.Do(ctx,
				node.B().Scan().Cursor(cursor).Match(pattern).Count(scanCount).Build()).AsScanEntry()
			if err != nil {
				return err
			}
			if len(page.Elements) > 0 {
				if err := each(node, page.Elements); err != nil {
					return err
				}
			}
			if cursor = page.Cursor; cursor == 0 {
				break
			}
		}
	}
	return nil
}
