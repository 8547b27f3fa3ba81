//go:build linux || darwin

package clickhouse

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"go.uber.org/zap"
)

const (
	helloTimeout = 10 * time.Second
	maxHello     = 64 << 10 // bytes
	// interserver is the name of another node of the cluster. After its Hello are the cluster's name and a salt.
	interserver = " INTERSERVER SECRET "
)

// gate holds the public addresses: see the package.
type gate struct {
	server    *server
	listeners []net.Listener
	open      atomic.Int64
	entering  chan struct{}
}

func (s *server) open(ctx context.Context) (*gate, error) {
	g := &gate{server: s, entering: make(chan struct{}, 32)}
	for _, address := range []struct {
		addr string
		pass func(net.Conn)
	}{{s.Addr, g.native}, {s.HTTPAddr, g.http}} {
		if address.addr == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address.addr)
		if err != nil {
			g.close()
			return nil, fmt.Errorf("clickhouse: %w: end the program that uses the port, or choose another", err)
		}
		g.listeners = append(g.listeners, listener)
		go g.accept(listener, address.pass)
	}
	return g, nil
}

func (g *gate) close() {
	for _, listener := range g.listeners {
		_ = listener.Close()
	}
}

func (g *gate) accept(listener net.Listener, pass func(net.Conn)) {
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // for want of descriptors, for instance
			g.server.Logger.Warn("clickhouse accept", zap.Error(err))
			time.Sleep(50 * time.Millisecond) //nolint:forbidigo // there is nothing to wait for
			continue
		}
		go func() {
			defer func() { _ = client.Close() }()
			defer g.open.Add(-1)
			g.open.Add(1)
			pass(client)
		}()
	}
}

func (g *gate) http(client net.Conn) {
	if server, err := net.Dial("tcp", beside(hostOf(g.server.Private), g.server.HTTPAddr)); err == nil {
		splice(client, server)
	}
}

// native lets a client in whose Hello is right.
func (g *gate) native(client net.Conn) {
	_ = client.SetDeadline(time.Now().Add(helloTimeout)) // fails only if it is closed, as all that follows
	var sent bytes.Buffer
	hello, err := readHello(io.TeeReader(io.LimitReader(client, maxHello), &sent))
	var e *exception
	if err == nil {
		e = g.check(hello)
	} else if !errors.As(err, &e) {
		return // it went away, or never said who it is
	}
	if e != nil {
		refuse(client, e)
		return
	}
	_ = client.SetDeadline(time.Time{})
	server, answer, err := g.enter(sent.Bytes())
	if err != nil {
		g.server.Logger.Warn("clickhouse does not answer a Hello", zap.Error(err))
		return
	}
	_, _ = client.Write(answer) // splice sees, too, that the client is gone
	splice(client, server)
}

// enter passes a Hello on and returns the first bytes that come back. Few enter at a time: the server refuses
// connections when more than 64 wait for a thread.
func (g *gate) enter(hello []byte) (server net.Conn, answer []byte, err error) {
	g.entering <- struct{}{}
	defer func() { <-g.entering }()
	server, err = net.Dial("tcp", g.server.Private)
	if err != nil {
		return nil, nil, err
	}
	answer = make([]byte, 4096)
	_, err = server.Write(hello)
	if err == nil {
		var n int
		n, err = server.Read(answer)
		answer = answer[:n]
	}
	if err != nil {
		return nil, nil, errors.Join(err, server.Close())
	}
	return server, answer, nil
}

// refuse answers, and reads what else was sent: a reset could overtake the answer.
func refuse(client net.Conn, e *exception) {
	_, _ = client.Write(e.packet())
	_ = client.(*net.TCPConn).CloseWrite()
	_ = client.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, io.LimitReader(client, maxHello))
}

// splice passes bytes both ways until both have ended.
func splice(client, server net.Conn) {
	defer func() { _ = server.Close() }()
	up, down := server.(*net.TCPConn), client.(*net.TCPConn)
	go func() {
		_, _ = io.Copy(up, down)
		_ = up.CloseWrite() // the server reads an end, and never a reset
	}()
	_, err := io.Copy(down, up)
	_ = down.CloseWrite()
	if err != nil { // the client is gone; the server must not fail to write
		_ = down.Close()
		_, _ = io.Copy(io.Discard, up)
	}
}

// hello is what a client says first.
type hello struct {
	packet                            uint64
	database, user, password, cluster string // cluster: of another node
}

func readHello(r io.Reader) (h hello, err error) {
	in := &byteReader{r}
	if h.packet, err = binary.ReadUvarint(in); err != nil {
		return h, err
	}
	if h.packet != uint64(proto.ClientCodeHello) {
		return h, nil
	}
	var name, salt string
	read := func(into ...*string) {
		for _, text := range into {
			if err == nil {
				*text, err = readString(in)
			}
		}
	}
	read(&name)
	for range 3 { // the client's version
		if err == nil {
			_, err = binary.ReadUvarint(in)
		}
	}
	read(&h.database, &h.user, &h.password)
	if h.user == interserver {
		read(&h.cluster, &salt)
	}
	return h, err
}

func readString(in *byteReader) (string, error) {
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return "", err
	}
	if size > maxHello {
		return "", refusal(proto.ErrTooLargeStringSize, "Too large string size in Hello.")
	}
	text := make([]byte, size)
	_, err = io.ReadFull(in, text)
	return string(text), err
}

// byteReader reads no byte more than it is asked for.
type byteReader struct{ io.Reader }

func (r *byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r.Reader, b[:])
	return b[0], err
}

// check is the server's answer to a Hello that it would end for; nil: none.
func (g *gate) check(h hello) *exception {
	s := g.server
	switch {
	case h.packet != uint64(proto.ClientCodeHello):
		return refusal(proto.ErrUnexpectedPacketFromClient, "Unexpected packet from client (expected Hello, got %d). "+
			"This port speaks ClickHouse's native protocol.", h.packet)
	case g.open.Load() > maxConnections:
		return refusal(proto.ErrTooManySimultaneousQueries, "Too many connections. Maximum: %d", maxConnections)
	case h.user == interserver && h.password == "" && s.Cluster != nil && h.cluster == s.Cluster.Name:
		return nil // the server compares the secret with each query
	case !s.knows(h.user, h.password):
		return refusal(proto.ErrAuthenticationFailed,
			"%s: Authentication failed: password is incorrect, or there is no user with such name.", h.user)
	case !s.hasDatabase(h.database):
		return refusal(proto.ErrUnknownDatabase, "Database %s does not exist", h.database)
	}
	return nil
}

func (s *server) knows(user, password string) bool {
	given, known := []byte(user+"\x00"+password), 0
	for _, u := range append([]User{{Name: s.User, Password: s.Password}}, s.Users...) {
		known |= subtle.ConstantTimeCompare(given, []byte(u.Name+"\x00"+u.Password))
	}
	return known == 1
}

// hasDatabase looks for the file that each database has but those that are always there.
func (s *server) hasDatabase(name string) bool {
	switch name {
	case "", "default", "system", "INFORMATION_SCHEMA", "information_schema":
		return true
	}
	var file strings.Builder
	for _, b := range []byte(name) {
		if b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' {
			file.WriteByte(b)
		} else {
			fmt.Fprintf(&file, "%%%02X", b)
		}
	}
	_, err := os.Stat(filepath.Join(s.DataDir, "metadata", file.String()+".sql"))
	return err == nil
}

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr) // we made it
	return host
}

// exception is the gate's answer, in the words of the server.
type exception struct {
	code    proto.Error
	message string
}

func refusal(code proto.Error, format string, args ...any) *exception {
	return &exception{code, fmt.Sprintf(format, args...)}
}

func (e *exception) Error() string { return e.message }

func (e *exception) packet() []byte {
	var b proto.Buffer
	proto.ServerCodeException.Encode(&b)
	b.PutInt32(int32(e.code))
	b.PutString("DB::Exception")
	b.PutString("DB::Exception: " + e.message)
	b.PutString("") // no stack
	b.PutBool(false)
	return b.Buf
}
