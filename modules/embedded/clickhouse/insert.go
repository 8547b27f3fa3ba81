//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"errors"
	"fmt"
	"net"
)

// insert runs an INSERT whose rows come as blocks. Each block of the client is one block for the engine.
func (c *conn) insert(r *running, st statement, params []parameter) error {
	columns, err := c.session.insertColumns(st, params)
	if err != nil {
		return err
	}
	ins, err := c.startInsert(r, st, params)
	if err != nil {
		return err
	}
	defer ins.close()
	c.outgoing.typeNames = nil
	if err := c.putHeader(columns); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	for {
		more, err := c.receiveFor(r)
		if err != nil {
			return err
		}
		if !more {
			return c.finishInsert(r, ins)
		}
		if c.incoming.rows > 0 && !ins.append(c.incoming.out) {
			return c.failInsert(ins)
		}
	}
}

func (c *conn) startInsert(r *running, st statement, params []parameter) (*inserter, error) {
	release, err := r.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	return c.session.insert(r.tagged(st), params)
}

// errCancelled says that the client took its insert back.
var errCancelled = errors.New("the client cancelled its insert")

// receiveFor waits for the next block of an insert; false means that it was the last.
func (c *conn) receiveFor(r *running) (more bool, err error) {
	if r.receive(true) {
		return false, c.killedInsert(r)
	}
	defer r.receive(false)
	code, err := c.packet()
	if err == nil {
		switch code {
		case clientData:
			more, err = c.receiveBlock()
		case clientCancel:
			err = errCancelled
		default:
			err = malformedf("packet %d in the middle of an insert", code)
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false, c.killedInsert(r)
	}
	return more, err
}

// killedInsert ends an insert that another client killed. Its own client may be in the middle of a block, so nothing that
// it sends from here on can be understood.
func (c *conn) killedInsert(r *running) error {
	e := exceptionf(codeCancelled, "Query was cancelled")
	c.refuse(e)
	return fmt.Errorf("insert %d was killed", r.id)
}

func (c *conn) finishInsert(r *running, ins *inserter) error {
	release, err := r.acquire()
	if err != nil {
		return err
	}
	defer release()
	stop := r.watch()
	var p progress
	p.writtenRows, p.writtenBytes, err = ins.finish()
	stop()
	if err != nil {
		return c.cancelled(r, err)
	}
	return c.finish(p, false)
}

// failInsert tells the client at once why its insert failed, and reads past the blocks that are on their way.
func (c *conn) failInsert(ins *inserter) error {
	_, _, err := ins.finish()
	if err == nil {
		err = errors.New("the engine refused a block")
	}
	c.session.settle()
	c.putException(asException(err))
	if err := c.flush(); err != nil {
		return err
	}
	for {
		code, err := c.packet()
		if err != nil {
			return noEOF(err)
		}
		switch code {
		case clientData:
			more, err := c.receiveBlock()
			if err != nil || !more {
				return err
			}
		case clientCancel:
			return nil
		case clientQuery:
			c.pending = true
			return nil
		default:
			return malformedf("packet %d after an insert", code)
		}
	}
}
