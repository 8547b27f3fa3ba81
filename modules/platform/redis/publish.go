package redis

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// ErrFenced says that another replica leads, and nothing was published.
var ErrFenced = errors.New("another replica has the lead")

// Place is where a leader publishes what it makes for all replicas. Both keys are on one slot. The fence outlives the
// value, so that a leader that wakes after a long time is still held off.
type Place struct{ Key, Fence string }

var (
	//go:embed publish.lua
	publishText string
	//go:embed publish_list.lua
	publishListText string

	publish     = rueidis.NewLuaScript(publishText)
	publishList = rueidis.NewLuaScript(publishListText)
)

// Publish writes a value for everybody, unless a newer lead has written: then it is ErrFenced.
func (c *Client) Publish(ctx context.Context, at Place, fence int64, value []byte, keep time.Duration) error {
	return c.publish(ctx, publish, at, fence, rueidis.BinaryString(value), keep)
}

// PublishList does the same with a list in the value's place. A member has no space in it.
func (c *Client) PublishList(ctx context.Context, at Place, fence int64, members []string, keep time.Duration) error {
	return c.publish(ctx, publishList, at, fence, strings.Join(members, " "), keep)
}

func (c *Client) publish(ctx context.Context, script *rueidis.Lua, at Place, fence int64, value string,
	keep time.Duration,
) error {
	conn, err := c.Conn()
	if err != nil {
		return err
	}
	done, err := script.Exec(ctx, conn, []string{at.Key, at.Fence}, []string{
		strconv.FormatInt(fence, 10), value, strconv.FormatInt(keep.Milliseconds(), 10),
	}).AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("publish %s: %w", at.Key, err)
	case done == 0:
		return fmt.Errorf("publish %s: %w", at.Key, ErrFenced)
	}
	return nil
}
