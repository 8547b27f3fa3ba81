package harness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
)

// The echo handler is what a cached feed is compared with: the same router, the same bytes, and
// nothing else. It is a process of its own, like the program.

// EchoServer answers every request with the same bytes, until ctx ends. It logs where it listens, as
// the program does.
func EchoServer(ctx context.Context, file string, log io.Writer) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	e := echo.New()
	e.GET("/*", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, body) })
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(log).Encode(map[string]string{
		"msg":  "listening",
		"addr": listener.Addr().String(),
	}); err != nil {
		return err
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for its answers
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Echo starts the echo handler with a body.
func (on *Environment) Echo(ctx context.Context, body []byte) (*Program, error) {
	file, err := os.CreateTemp(on.Logs, "echo-*.json")
	if err != nil {
		return nil, err
	}
	_, err = file.Write(body)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	on.OnEnd(func() error { return os.Remove(file.Name()) })
	return on.start(ctx, "echo", on.Feedrank("bench", "--echo", file.Name()), 1)
}
