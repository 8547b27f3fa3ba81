package consumer

import (
	"context"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// notify offers the changes to the feed, whose caches are fresher for it but do not depend on it.
func (w *writer) notify(ctx context.Context, changes []core.Change) {
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		w.metrics.changes.WithLabelValues(changeName(c.Kind)).Inc()
	}
	if err := w.observer.Changed(ctx, changes); err != nil {
		w.metrics.observeErrs.Inc()
		w.log.Warn("feed was not notified of changes",
			zap.String("table", w.table), zap.Int("changes", len(changes)), zap.Error(err))
	}
}

func changeName(k core.ChangeKind) string {
	names := [...]string{
		core.PostPut: "post_put", core.PostDeleted: "post_deleted", core.PostUnclear: "post_unclear",
		core.Followed: "followed", core.Unfollowed: "unfollowed", core.Blocked: "blocked", core.Unblocked: "unblocked",
		core.Muted: "muted", core.Unmuted: "unmuted", core.JoinedGroup: "joined", core.LeftGroup: "left",
		core.HidPost: "hid", core.UnhidPost: "unhid",
		core.TableCleared: "table_cleared",
		core.UserGone:     "user_gone", core.UserBack: "user_back", core.UserUnclear: "user_unclear",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}
