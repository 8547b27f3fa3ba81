package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// encode has the answer written. Where the client is gone, what follows is done all the same.
func (f *Feed) encode(ctx context.Context, r *request) error {
	f.nameItems(ctx, r)
	r.OrderLost = len(r.places) > 0 && !r.places[0].Post.Valid()
	r.writeErr = r.write(&r.Page)
	return nil
}

// settle carries out what the answer does not wait for.
func (f *Feed) settle(ctx context.Context, r *request) error {
	f.metrics.Requests.WithLabelValues(r.Algo(), string(r.ServedFrom)).Inc()
	r.viewer.Count()
	if !r.ByTime {
		f.served.Count(r.Now, string(r.ServedFrom))
		f.sampleOverlap(r)
	}
	return f.keepSession(ctx, r)
}

// keepSession keeps the order that the next page follows.
func (f *Feed) keepSession(_ context.Context, r *request) error {
	if r.Next == nil || r.ByTime || r.Later && !r.remade {
		return nil
	}
	order := r.places
	if !r.Later {
		order = r.placesOf(r.list.Order[:min(len(r.list.Order), f.cfg.ReserveSize)])
	}
	b := make([]byte, 0, 16+4*len(order)) // about what it takes; it is kept
	f.orders.keep(r.User, r.Session.Session, reserve.AppendOrder(b, r.Session.Session, order))
	return nil
}
