package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	fetchTimeout   = 5 * time.Second  // of one fetch of the key set
	refreshEvery   = 10 * time.Minute // a key that was withdrawn is used so long
	retryEvery     = 30 * time.Second // after a fetch that brought nothing
	unknownKeyRate = 30 * time.Second // whoever makes up key ids has us ask so often, not more
	maxKeySetBytes = 1 << 20
)

var errUnknownKey = errors.New("no key of the set has this id and fits this algorithm")

// keySet is the keys of auth.jwks_url (RFC 7517). A key that we cannot use is left out; an answer without
// any that we can does not replace keys that worked.
type keySet struct {
	url        string
	client     *http.Client
	current    atomic.Pointer[[]publicKey]
	fetches    singleflight.Group
	unknown    *rate.Limiter
	refreshing sync.Mutex
	skipped    string // what was left out the last time, so that it is logged once
	usable     prometheus.Gauge
	left       prometheus.Gauge
	log        *zap.Logger
}

func newKeySet(url string, usable, left prometheus.Gauge, log *zap.Logger) *keySet {
	return &keySet{
		url: url, client: &http.Client{Timeout: fetchTimeout}, unknown: rate.NewLimiter(rate.Every(unknownKeyRate), 1),
		usable: usable, left: left, log: log,
	}
}

// run refreshes the set until ctx ends.
func (s *keySet) run(ctx context.Context, fetched bool) {
	for {
		wait := refreshEvery
		if !fetched {
			wait = retryEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		fetched = s.refresh(ctx)
	}
}

// find gives the keys that may have signed a token. Where its key is new, one of those who bring it has the
// set fetched, and the others wait for that.
func (s *keySet) find(algorithm, id string, named bool) ([]jwt.VerificationKey, error) {
	if keys := s.fitting(algorithm, id, named); len(keys) > 0 {
		return keys, nil
	}
	_, _, _ = s.fetches.Do("unknown", func() (any, error) {
		if len(s.fitting(algorithm, id, named)) == 0 && s.unknown.Allow() {
			s.refresh(context.Background()) // the client's timeout bounds it
		}
		return nil, nil
	})
	if keys := s.fitting(algorithm, id, named); len(keys) > 0 {
		return keys, nil
	}
	return nil, errUnknownKey
}

// fitting lists the keys of an id that do for an algorithm; of a token that names none, all that do.
func (s *keySet) fitting(algorithm, id string, named bool) (keys []jwt.VerificationKey) {
	current := s.current.Load()
	if current == nil {
		return nil
	}
	for _, k := range *current {
		if k.algorithm == algorithm && (!named || k.id == id) {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// refresh fetches the set and tells whether it brought keys.
func (s *keySet) refresh(ctx context.Context) bool {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	text, err := s.fetch(ctx)
	if err != nil {
		s.log.Warn("fetch the key set", zap.String("url", redacted(s.url)), zap.Error(err))
		return false
	}
	keys, skipped, err := readKeySet(text)
	s.tellSkipped(skipped)
	if err != nil {
		s.log.Warn("the key set brought no key that can be used: those known before stay in use",
			zap.String("url", redacted(s.url)), zap.Error(err))
		return false
	}
	s.current.Store(&keys)
	s.usable.Set(float64(len(keys)))
	return true
}

func (s *keySet) fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySetBytes+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("answered %s", response.Status)
	case len(text) > maxKeySetBytes:
		return nil, fmt.Errorf("larger than %d bytes", maxKeySetBytes)
	}
	return text, nil
}

// tellSkipped logs what is left out, once for as long as it is the same.
func (s *keySet) tellSkipped(skipped map[string]string) {
	s.left.Set(float64(len(skipped)))
	lines := make([]string, 0, len(skipped))
	for _, key := range slices.Sorted(maps.Keys(skipped)) {
		lines = append(lines, key+": "+skipped[key])
	}
	if text := strings.Join(lines, "; "); text != s.skipped {
		if s.skipped = text; text != "" {
			s.log.Warn("keys of the key set cannot be used and are left out", zap.String("url", redacted(s.url)),
				zap.Strings("keys", lines))
		}
	}
}

// readKeySet reads the keys that can be used, and says of each other why not.
func readKeySet(text []byte) (keys []publicKey, skipped map[string]string, err error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, nil, fmt.Errorf("not a key set: %w", err)
	}
	skipped = map[string]string{}
	for i, raw := range document.Keys {
		key, err := readKey(raw)
		if err != nil {
			skipped[fmt.Sprintf("key %d %q", i+1, key.id)] = err.Error()
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, skipped, fmt.Errorf("%d keys, none for RS256, ES256 or EdDSA", len(document.Keys))
	}
	return keys, skipped, nil
}
