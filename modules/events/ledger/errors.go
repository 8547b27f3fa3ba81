package ledger

import (
	"errors"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// retryable are the server's errors that say nothing about the data.
func retryable() []proto.Error {
	return []proto.Error{
		proto.ErrTooManyParts, proto.ErrMemoryLimitExceeded, proto.ErrTooManySimultaneousQueries,
		proto.ErrTimeoutExceeded,
		proto.ErrQueryWasCancelled, proto.ErrTableIsReadOnly, proto.ErrNotEnoughSpace, proto.ErrSocketTimeout,
		proto.ErrNetworkError, proto.ErrAborted,
	}
}

// IsInsertError tells whether the server refused the data, rather than the moment.
func IsInsertError(err error) bool {
	exception, ok := clickhouse.AsException(err)
	return ok && !errors.Is(err, ErrFenced) && !slices.Contains(retryable(), exception.Code)
}
