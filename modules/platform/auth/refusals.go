package auth

import (
	"errors"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// Why a token is refused: the label reason of feedrank_auth_refused_total.
const (
	refusedNone      = "no_token"
	refusedTooLong   = "too_long"
	refusedMalformed = "malformed"
	refusedClaim     = "claim"
	refusedCritical  = "critical_extension"
	refusedAlgorithm = "algorithm"
	refusedKey       = "unknown_key"
	refusedSignature = "signature"
	refusedExpired   = "expired"
	refusedEarly     = "not_valid_yet"
	refusedIssuer    = "issuer"
	refusedAudience  = "audience"
	refusedNoExpiry  = "no_expiry"
	refusedUser      = "user"
	refusedOther     = "other"
)

// tellEvery is how often one reason is logged at most.
const tellEvery = time.Minute

// refusals counts why tokens are refused, and says so in the log: an identity provider that is set up in
// another way is otherwise a wall of 401s.
type refusals struct {
	clock core.Clock
	total *prometheus.CounterVec
	log   *zap.Logger

	mu    sync.Mutex
	told  map[string]time.Time
	since map[string]int // refused since the reason was logged
}

func newRefusals(clock core.Clock, reg prometheus.Registerer, log *zap.Logger) *refusals {
	r := &refusals{
		clock: clock, log: log, told: map[string]time.Time{}, since: map[string]int{},
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_auth_refused_total",
			Help: "Requests whose token was refused, by reason. The log has one line a minute for each reason.",
		}, []string{"reason"}),
	}
	reg.MustRegister(r.total)
	return r
}

// refuse is the answer to a token, by a message that tells a stranger nothing of our keys.
func (r *refusals) refuse(reason, message string, cause error, fields ...zap.Field) error {
	r.total.WithLabelValues(reason).Inc()
	if n, due := r.due(reason); due {
		r.log.Info("tokens are refused", append(fields, zap.String("reason", reason), zap.Int("refused", n),
			zap.String("answer", message), zap.NamedError("last", cause))...)
	}
	return &core.Error{Code: core.CodeUnauthenticated, Message: message, Cause: cause}
}

// due tells how many were refused since the reason was logged, if it is to be logged again.
func (r *refusals) due(reason string) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since[reason]++
	now := r.clock.Now()
	if last, ok := r.told[reason]; ok && now.Sub(last) < tellEvery {
		return 0, false
	}
	n := r.since[reason]
	r.told[reason], r.since[reason] = now, 0
	return n, true
}

// whyInvalid is the reason and the answer for what the parser found.
func whyInvalid(err error) (reason, message string) {
	for _, known := range []struct {
		is              error
		reason, message string
	}{
		{errCritical, refusedCritical, "the token has a critical extension (crit) that is not supported"},
		{errClaim, refusedClaim, "a claim of the token has a shape that is not supported"},
		{jwt.ErrTokenMalformed, refusedMalformed, "the token does not verify"},
		{errUnknownKey, refusedKey, "the token does not verify"},
		{errAlgorithm, refusedAlgorithm, "the token does not verify"},
		{jwt.ErrTokenExpired, refusedExpired, "the token has expired"},
		{jwt.ErrTokenNotValidYet, refusedEarly, "the token is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, refusedEarly, "the token is not valid yet"},
		{jwt.ErrTokenInvalidIssuer, refusedIssuer, "the token was made by or for somebody else"},
		{jwt.ErrTokenInvalidAudience, refusedAudience, "the token was made by or for somebody else"},
		{jwt.ErrTokenRequiredClaimMissing, refusedNoExpiry, "the token has no expiry"},
		{jwt.ErrTokenSignatureInvalid, refusedSignature, "the token does not verify"},
	} {
		if errors.Is(err, known.is) {
			return known.reason, known.message
		}
	}
	return refusedOther, "the token does not verify"
}
