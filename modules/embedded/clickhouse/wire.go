package clickhouse

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// revision is the version of the native protocol that is spoken: the one of ch-go. Newer clients step down to it.
const revision = 54460

// The packets of a client.
const (
	clientHello  = 0
	clientQuery  = 1
	clientData   = 2
	clientCancel = 3
	clientPing   = 4
)

// The packets of a server.
const (
	serverHello       = 0
	serverData        = 1
	serverException   = 2
	serverProgress    = 3
	serverPong        = 4
	serverEndOfStream = 5
	serverProfile     = 6
)

// Bounds on what a client may send, all checked before memory is reserved.
const (
	maxName     = 1 << 20  // names, types, setting values, bytes
	maxQuery    = 64 << 20 // text of a statement, bytes
	maxSettings = 4096     // settings, or parameters, of a query
	keepBuffer  = 16 << 20 // larger buffers are given back after use, bytes
)

func readUvarint(r *bufio.Reader) (uint64, error) {
	v, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, fmt.Errorf("number: %w", err)
	}
	return v, nil
}

func readString(r *bufio.Reader, limit uint64) (string, error) {
	b, err := readBytes(nil, r, limit)
	return string(b), err
}

// readBytes appends a string, without its length, to dst.
func readBytes(dst []byte, r *bufio.Reader, limit uint64) ([]byte, error) {
	n, err := readUvarint(r)
	if err != nil {
		return dst, err
	}
	if n > limit {
		return dst, malformedf("a string of %d bytes, at most %d are accepted", n, limit)
	}
	if dst, err = appendFrom(dst, r, n); err != nil {
		return dst, fmt.Errorf("string: %w", err)
	}
	return dst, nil
}

func discard(r *bufio.Reader, n int) error {
	if _, err := r.Discard(n); err != nil {
		return fmt.Errorf("skip %d bytes: %w", n, err)
	}
	return nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// hello is what a client says of itself first.
type hello struct {
	name                     string
	revision                 uint64
	database, user, password string
}

func readHello(r *bufio.Reader) (h hello, err error) {
	if h.name, err = readString(r, maxName); err != nil {
		return h, fmt.Errorf("client name: %w", err)
	}
	for _, v := range []*uint64{new(uint64), new(uint64), &h.revision} {
		if *v, err = readUvarint(r); err != nil {
			return h, fmt.Errorf("client version: %w", err)
		}
	}
	for _, s := range []*string{&h.database, &h.user, &h.password} {
		if *s, err = readString(r, maxName); err != nil {
			return h, fmt.Errorf("credentials: %w", err)
		}
	}
	return h, nil
}

// setting is one setting of a query. A server ignores an unknown one unless it is marked important.
type setting struct {
	name, value string
	important   bool
}

// parameter is a value for {name:Type} in a statement.
type parameter struct{ name, value string }

// query is a query packet.
type query struct {
	id         string
	body       string
	compressed bool
	settings   []setting
	params     []parameter
}

func readQuery(r *bufio.Reader) (q query, err error) {
	if q.id, err = readString(r, maxName); err != nil {
		return q, fmt.Errorf("query id: %w", err)
	}
	if err := skipClientInfo(r); err != nil {
		return q, fmt.Errorf("client info: %w", err)
	}
	if q.settings, err = readSettings(r); err != nil {
		return q, fmt.Errorf("settings: %w", err)
	}
	if _, err := readString(r, maxName); err != nil { // the secret of servers among each other
		return q, fmt.Errorf("secret: %w", err)
	}
	if _, err := readUvarint(r); err != nil { // the stage up to which to run it: always to the end
		return q, fmt.Errorf("stage: %w", err)
	}
	compressed, err := readUvarint(r)
	if err != nil {
		return q, fmt.Errorf("compression: %w", err)
	}
	if compressed > 1 {
		return q, malformedf("compression is %d", compressed)
	}
	q.compressed = compressed == 1
	if q.body, err = readString(r, maxQuery); err != nil {
		return q, fmt.Errorf("body: %w", err)
	}
	params, err := readSettings(r)
	if err != nil {
		return q, fmt.Errorf("parameters: %w", err)
	}
	for _, p := range params {
		q.params = append(q.params, parameter{name: p.name, value: p.value})
	}
	return q, nil
}

// readSettings reads names and values up to an empty name. Custom ones and parameters are literals, so they lose their quotes.
func readSettings(r *bufio.Reader) ([]setting, error) {
	const important, custom = 1, 2
	var list []setting
	for {
		name, err := readString(r, maxName)
		if err != nil || name == "" {
			return list, err
		}
		flags, err := readUvarint(r)
		if err != nil {
			return nil, err
		}
		value, err := readString(r, maxName)
		if err != nil {
			return nil, err
		}
		if len(list) == maxSettings {
			return nil, malformedf("more than %d settings", maxSettings)
		}
		if flags&custom != 0 && len(value) > 1 && value[0] == '\'' && value[len(value)-1] == '\'' {
			value = unquote(value)
		}
		list = append(list, setting{name: name, value: value, important: flags&important != 0})
	}
}

// skipClientInfo reads past who the client is, and who asked it.
func skipClientInfo(r *bufio.Reader) error {
	kind, err := r.ReadByte()
	if err != nil {
		return fmt.Errorf("query kind: %w", err)
	}
	if kind == 0 {
		return nil
	}
	if err := skipStrings(r, 3); err != nil { // initial user, query id, address
		return err
	}
	if err := discard(r, 8); err != nil { // start time
		return err
	}
	tcp, err := r.ReadByte()
	if err != nil {
		return fmt.Errorf("interface: %w", err)
	}
	if tcp != 1 {
		return malformedf("interface %d is not TCP", tcp)
	}
	if err := skipStrings(r, 3); err != nil { // system user, host, client
		return err
	}
	if err := skipUvarints(r, 3); err != nil { // version
		return err
	}
	if err := skipStrings(r, 1); err != nil { // quota key
		return err
	}
	if err := skipUvarints(r, 2); err != nil { // distributed depth, patch
		return err
	}
	traced, err := r.ReadByte()
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if traced != 0 {
		if err := discard(r, 16+8); err != nil {
			return err
		}
		if err := skipStrings(r, 1); err != nil {
			return err
		}
		if err := discard(r, 1); err != nil {
			return err
		}
	}
	return skipUvarints(r, 3) // parallel replicas
}

func skipStrings(r *bufio.Reader, n int) error {
	for range n {
		size, err := readUvarint(r)
		if err != nil {
			return err
		}
		if size > maxName {
			return malformedf("a string of %d bytes", size)
		}
		if _, err := io.CopyN(io.Discard, r, int64(size)); err != nil {
			return fmt.Errorf("string: %w", err)
		}
	}
	return nil
}

func skipUvarints(r *bufio.Reader, n int) error {
	for range n {
		if _, err := readUvarint(r); err != nil {
			return err
		}
	}
	return nil
}
