package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// absent finds members of groups that are no more, and makes them leave. kfake begins the session of a new
// member with the answer that it has joined, and never where its connection is gone by then: the others give it
// partitions, which nobody reads from then on. A real Kafka lets such a member go after its session timeout.
type absent struct {
	cluster *kfake.Cluster

	mu   sync.Mutex
	seen map[member]sighting
}

type member struct{ group, id string }

// sighting is when a member was last heard of, and how long it may be silent.
type sighting struct {
	at      time.Time
	session time.Duration
}

// watchEvery is how often groups are looked at: sessions last a second at least.
const watchEvery = time.Second

// newAbsent hears of each member from now on.
func newAbsent(cluster *kfake.Cluster) *absent {
	a := &absent{cluster: cluster, seen: map[member]sighting{}}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat} {
		cluster.ControlKey(key.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			a.hear(request)
			return nil, nil, false
		})
	}
	return a
}

func (a *absent) hear(request kmsg.Request) {
	switch r := request.(type) {
	case *kmsg.JoinGroupRequest:
		a.note(member{r.Group, r.MemberID}, time.Duration(r.SessionTimeoutMillis)*time.Millisecond)
	case *kmsg.SyncGroupRequest:
		a.note(member{r.Group, r.MemberID}, 0)
	case *kmsg.HeartbeatRequest:
		a.note(member{r.Group, r.MemberID}, 0)
	}
}

// note remembers that a member lives. A session of zero is the one that it joined with.
func (a *absent) note(m member, session time.Duration) {
	if m.id == "" { // it asks for its id
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if session == 0 {
		session = a.seen[m].session
	}
	a.seen[m] = sighting{at: time.Now(), session: session}
}

// watch makes the absent leave until ctx ends.
func (a *absent) watch(ctx context.Context, addr string) {
	for worker.Pause(ctx, watchEvery) == nil {
		for group, members := range a.silent() {
			if err := leave(addr, group, members); err != nil {
				fmt.Fprintf(os.Stderr, "members %v of group %s are gone and cannot be made to leave: %v\n", members,
					group, err)
			}
		}
	}
}

// silent are the members, by group, that were not heard of for twice their sessions. In a group that is stable,
// each of them should have sent several heartbeats in that time.
func (a *absent) silent() map[string][]string {
	silent := map[string][]string{}
	for group := range a.groups() {
		info := a.cluster.GroupInfo(group)
		if info == nil || info.State != "Stable" {
			continue
		}
		for _, m := range info.Members {
			if a.isSilent(member{group, m.MemberID}) {
				silent[group] = append(silent[group], m.MemberID)
			}
		}
		a.forget(group)
	}
	return silent
}

// groups are those whose members were heard of.
func (a *absent) groups() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	groups := map[string]bool{}
	for m := range a.seen {
		groups[m.group] = true
	}
	return groups
}

// isSilent counts from the first look at a member that was not heard of: it may have joined before a restart.
func (a *absent) isSilent(m member) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, known := a.seen[m]
	if !known {
		a.seen[m] = sighting{at: time.Now()}
		return false
	}
	return time.Since(s.at) > 2*cmp.Or(s.session, longSession)
}

// longSession is that of a member whose own is not known: twice of it is longer than a client of ours is ever silent,
// a quarter of kafka.session_timeout at its greatest.
const longSession = 45 * time.Second

// forget drops the members of a group that were not heard of for long: they left, or are made to.
func (a *absent) forget(group string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.seen, func(m member, s sighting) bool {
		return m.group == group && time.Since(s.at) > 10*s.session+time.Minute
	})
}

// leave asks the broker to let members go, as they would have asked themselves.
func leave(addr, group string, members []string) error {
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	broker := sarama.NewBroker(addr)
	if err := broker.Open(config); err != nil {
		return err
	}
	defer func() { _ = broker.Close() }()
	request := &sarama.LeaveGroupRequest{Version: 3, GroupId: group}
	for _, id := range members {
		request.Members = append(request.Members, sarama.MemberIdentity{MemberId: id})
	}
	response, err := broker.LeaveGroup(request)
	if err != nil {
		return err
	}
	if response.Err != sarama.ErrNoError {
		return response.Err
	}
	for _, m := range response.Members {
		if m.Err != sarama.ErrNoError && m.Err != sarama.ErrUnknownMemberId {
			return fmt.Errorf("%s: %w", m.MemberId, m.Err)
		}
	}
	return nil
}
