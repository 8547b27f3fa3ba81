package ingest

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Config is what the API needs to know.
type Config struct {
	codec.Log
	MaxDecompressed int64         // bytes of a gzip body
	ProduceTimeout  time.Duration // until a request is answered 503
}

// DefaultConfig is what most need.
func DefaultConfig() Config {
	return Config{Log: codec.DefaultLog(), MaxDecompressed: 1 << 20, ProduceTimeout: 3 * time.Second}
}

// API takes events from clients and writes them to Kafka.
type API struct {
	cfg      Config
	topic    string
	producer Producer
	listener HideListener
	clock    core.Clock
	quota    *Quota // nil: none
	gzips    sync.Pool

	accepted prometheus.Counter
	rejected *prometheus.CounterVec
}

// HideListener hears what a user does not want to see any more (hide, not_interested), or again (unhide), as soon as
// the event is safe, before the consumer has it: that may wait for ClickHouse. It must not take long; what it misses,
// the consumer tells.
type HideListener interface {
	Hide(ctx context.Context, user core.ID, hidden []core.HiddenPost)
}

// Producer sends messages and returns once all replicas have acknowledged them.
type Producer interface {
	Send(ctx context.Context, messages ...*sarama.ProducerMessage) error
}

// New makes the API. topic is the topic's full name.
func New(cfg Config, topic string, producer Producer, listener HideListener, clock core.Clock,
	reg prometheus.Registerer,
) *API {
	a := &API{
		cfg: cfg, topic: topic, producer: producer, listener: listener, clock: clock,
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_events_accepted_total", Help: "Events that clients sent and Kafka acknowledged.",
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_events_rejected_total", Help: "Events that clients sent and the API rejected, by code.",
		}, []string{"code"}),
	}
	reg.MustRegister(a.accepted, a.rejected)
	return a
}

// WithQuota holds users to a quota.
func (a *API) WithQuota(b *Quota) *API {
	a.quota = b
	return a
}

// Routes are the calls of the API.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{{
		Method: http.MethodPost, Path: "/api/v1/events", Access: httpserver.User, InParts: true,
		Handler: a.post,
	}}
}

// Accepted is the answer to a batch: how many events are safely in Kafka, and what was wrong with
// each of the others. A batch whose events were all rejected is answered in the same way: sending it
// again would not help, and a client need not treat it as an error of the call.
type Accepted struct {
	Accepted int               `json:"accepted"`
	Rejected []codec.Rejection `json:"rejected"`
}

func (a *API) post(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	body, err := a.body(c.Request())
	if err != nil {
		return err
	}
	now := a.clock.Now().UnixMilli()
	events, rejected, err := codec.DecodeRequest(body, now, a.cfg.Acceptance())
	if err != nil {
		return err
	}
	user := httpserver.UserKey(c)
	for i := range events {
		events[i].SetUser(user)
		events[i].Received = now
	}
	events, known, rejected := a.withinQuota(events, rejected)
	messages := make([]*sarama.ProducerMessage, len(events))
	for i := range events {
		messages[i] = codec.Encode(a.topic, &events[i])
	}
	if len(messages) > 0 {
		ctx, cancel := context.WithTimeout(c.Request().Context(), a.cfg.ProduceTimeout)
		defer cancel()
		if err := a.producer.Send(ctx, messages...); err != nil {
			if a.quota != nil {
				a.quota.giveBack(events)
			}
			// Some may be in the log. The client sends the same ids again, and they count once.
			return core.Unavailable("the event log", time.Second, err)
		}
		if a.quota != nil {
			a.quota.remember(events)
		}
		if hidden := hiddenBy(events); len(hidden) > 0 {
			a.listener.Hide(ctx, user.ID, hidden)
		}
	}
	a.accepted.Add(float64(len(events) + known))
	for _, r := range rejected {
		a.rejected.WithLabelValues(r.Code).Inc()
	}
	return c.JSON(http.StatusAccepted, Accepted{Accepted: len(events) + known, Rejected: rejected})
}

// body reads the whole body, at most so much of it as the configuration allows, compressed or not.
func (a *API) body(r *http.Request) ([]byte, error) {
	if t := r.Header.Get(echo.HeaderContentType); t != "" {
		if mediaType, _, err := mime.ParseMediaType(t); err != nil || mediaType != echo.MIMEApplicationJSON {
			return nil, core.Errorf(core.CodeMediaType, "want Content-Type: application/json")
		}
	}
	// RFC 9110: names of codings are told apart by no case
	switch strings.ToLower(strings.TrimSpace(r.Header.Get(echo.HeaderContentEncoding))) {
	case "", "identity":
		b, err := io.ReadAll(r.Body)
		return b, readError(err, "the body")
	case "gzip", "x-gzip":
		return a.gunzip(r.Body)
	default:
		return nil, core.Errorf(core.CodeMediaType, "want Content-Encoding: gzip, or none")
	}
}

func (a *API) gunzip(body io.Reader) ([]byte, error) {
	z, ok := a.gzips.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer a.gzips.Put(z)
	if err := z.Reset(body); err != nil {
		return nil, readError(err, "the gzip header")
	}
	b, err := io.ReadAll(io.LimitReader(z, a.cfg.MaxDecompressed+1))
	if err != nil {
		return nil, readError(err, "the gzip body")
	}
	if int64(len(b)) > a.cfg.MaxDecompressed {
		return nil, core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes when it is decompressed",
			a.cfg.MaxDecompressed)
	}
	return b, nil
}

// readError blames the client, unless the server has something more exact to say.
func readError(err error, what string) error {
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return &core.Error{Code: core.CodeInvalidRequest, Message: what + " cannot be read to its end", Cause: err}
}
