package kafka

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
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

	mu     sync.Mutex
	groups map[string]map[string]sighting // by group, by member
}

// sighting is when a member was last heard of, and how long it may be silent.
type sighting struct {
	at      time.Time
	session time.Duration
}

// watchEvery is how often groups are looked at: sessions last a second at least.
const watchEvery = time.Second

// newAbsent hears of each member from now on.
func newAbsent(cluster *kfake.Cluster) *absent {
	a := &absent{cluster: cluster, groups: map[string]map[string]sighting{}}
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
		a.note(r.Group, r.MemberID, time.Duration(r.SessionTimeoutMillis)*time.Millisecond)
	case *kmsg.SyncGroupRequest:
		a.note(r.Group, r.MemberID, 0)
	case *kmsg.HeartbeatRequest:
		a.note(r.Group, r.MemberID, 0)
	}
}

// note remembers that a member lives. A session of zero is the one that it joined with.
func (a *absent) note(group, member string, session time.Duration) {
	if member == "" { // it asks for its id
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	members := a.groups[group]
	if members == nil {
		members = map[string]sighting{}
		a.groups[group] = members
	}
	if session == 0 {
		session = members[member].session
	}
	members[member] = sighting{at: time.Now(), session: session}
}

// watch makes the absent leave until ctx ends.
func (a *absent) watch(ctx context.Context, addr string) {
	for worker.Pause(ctx, watchEvery) == nil {
		for group, members := range a.silent() {
			if err := leave(addr, group, members); err != nil {
				fmt.Fprintf(os.Stderr, "members %v of group %s are gone and cannot be made to leave: %v\n", members, group, err)
			}
		}
	}
}

// silent are the members, by group, that were not heard of for twice their sessions. In a group that is stable,
// each of them should have sent several heartbeats in that time.
func (a *absent) silent() map[string][]string {
	a.mu.Lock()
	groups := slices.Collect(maps.Keys(a.groups))
	a.mu.Unlock()

	silent := map[string][]string{}
	for _, group := range groups {
		info := a.cluster.GroupInfo(group)
		if info == nil || info.State != "Stable" {
			continue
		}
		for _, m := range info.Members {
			if a.isSilent(group, m.MemberID) {
				silent[group] = append(silent[group], m.MemberID)
			}
		}
		a.forget(group)
	}
	return silent
}

// isSilent is false of a member that is not known: it is from before a restart, and kfake keeps its session.
func (a *absent) isSilent(group, member string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, known := a.groups[group][member]
	return known && s.session > 0 && time.Since(s.at) > 2*s.session
}

// forget drops the members that were not heard of for long: they left, or are made to.
func (a *absent) forget(group string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.groups[group], func(_ string, s sighting) bool { return time.Since(s.at) > 10*s.session+time.Minute })
	if len(a.groups[group]) == 0 {
		delete(a.groups, group)
	}
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
	for _, member := range members {
		request.Members = append(request.Members, sarama.MemberIdentity{MemberId: member})
	}
	response, err := broker.LeaveGroup(request)
	if err != nil {
		return err
	}
	if response.Err != sarama.ErrNoError {
		return response.Err
	}
	return nil
}
