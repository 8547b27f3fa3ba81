package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

// TestAFreshProcessNamesByTheAppsKeysWithoutClickHouse has processes start whose memory of keys is empty, while
// ClickHouse, which has them, is away: they answer what Redis has, and then, when that is empty, what PostgreSQL has.
func TestAFreshProcessNamesByTheAppsKeysWithoutClickHouse(t *testing.T) {
	for name, kind := range map[string]func(*stack.Stack) *otherKeys{"uuid": withUUIDs, "mixed": withMixedKeys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := kind(stack.Own(t))
			o.begin(t)
			me, want := o.user(1), map[string]string{}
			for n := 1; n <= 8; n++ {
				if o.user(n) != "0" {
					o.insert(t, "users", o.user(n))
				}
			}
			for n := 3; n <= 8; n++ {
				o.insert(t, "follows", me, o.user(n))
				o.insert(t, "posts", o.post(n), o.user(n))
				want[o.post(n)] = o.user(n)
			}
			cached := func() bool {
				from, got := o.served(me)
				return from == "cache" && sameKeys(want, got)
			}
			o.eventually("the posts are in a cached page", cached)
			o.flushRedis(t) // the entry may be older than the posts; this one is not
			o.eventually("the posts are in a cached entry", cached)

			require.NoError(t, o.s.Servers.ClickHouse.Kill())
			o.cfg.Roles = []string{"api"}
			o.program = running(t, o.cfg)
			o.eventually("the page is from the cache, once Redis is connected", func() bool {
				from, got := o.served(me)
				require.Equal(t, want, got, "from %s", from)
				return from == "cache" || o.users != core.UUIDKeys // nobody else asks Redis for names so soon
			})

			o.flushRedis(t)
			o.program = running(t, o.cfg)
			from, got := o.served(me)
			require.Equal(t, want, got, "from %s", from)
			require.Equal(t, "postgres", from)
		})
	}
}

// served is a user's page: where it is from, and its posts with their authors.
func (o *otherKeys) served(user string) (from string, posts map[string]string) {
	o.t.Helper()
	status, body := o.as(user, http.MethodGet, "/api/v1/feed?limit=50", "", false)
	require.Equal(o.t, http.StatusOK, status, body)
	var page struct {
		ServedFrom string `json:"served_from"`
		Items      []struct{ Post, Author string }
	}
	require.NoError(o.t, json.Unmarshal([]byte(body), &page), body)
	posts = map[string]string{}
	for _, item := range page.Items {
		posts[item.Post] = item.Author
	}
	return page.ServedFrom, posts
}

func (o *otherKeys) flushRedis(t *testing.T) {
	t.Helper()
	conn, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: o.s.RedisConfig.Addrs, DisableCache: true, ForceSingleClient: true,
	})
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Do(t.Context(), conn.B().Flushall().Build()).Error())
}
