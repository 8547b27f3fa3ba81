package clickhouse

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// CodeConstraint is the server's code for a row that breaks a CONSTRAINT: our fence.
const CodeConstraint = proto.Error(469)

// AsException is the server's own refusal, if err is one: the statement was received, and failed.
func AsException(err error) (*ch.Exception, bool) { return ch.AsException(err) }

// IsFenced tells whether an insert was refused because another writer has taken the partition, or
// because of who it names.
func IsFenced(err error) bool { return IsRefusedByConstraint(err) }

// IsRefusedByConstraint tells whether an insert was refused because a row breaks a CONSTRAINT.
func IsRefusedByConstraint(err error) bool {
	exception, ok := ch.AsException(err)
	return ok && exception.Code == CodeConstraint
}

// IsUnknownDatabase tells whether there is no such database: nobody has migrated yet.
func IsUnknownDatabase(err error) bool {
	exception, ok := ch.AsException(err)
	return ok && exception.Code == proto.ErrUnknownDatabase
}

// IsConnectionError tells whether the connection failed, rather than the statement.
func IsConnectionError(err error) bool {
	if _, ok := ch.AsException(err); ok {
		return false
	}
	var network net.Error
	return errors.Is(err, ch.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || (errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded))
}

func kindOf(err error) string {
	switch _, exception := ch.AsException(err); {
	case exception:
		return "server"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "timeout"
	default:
		return "connection"
	}
}
