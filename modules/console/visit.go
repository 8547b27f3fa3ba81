package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// visit is a request of somebody who is logged in.
type visit struct {
	echo.Context
	console *Console
	who     *session.Session
}

// problem is what the API said instead of an answer.
type problem struct {
	Status int       `json:"status"`
	Code   core.Code `json:"code"`
	Detail string    `json:"detail"`
	Field  string    `json:"field"`
}

// Error implements error.
func (p *problem) Error() string {
	if p.Field != "" {
		return p.Field + ": " + p.Detail
	}
	return p.Detail
}

// ask makes a call of the API and reads its answer into into. Where the API refuses, the error is a *problem.
func (v *visit) ask(method, path string, query url.Values, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	answer, err := httpserver.Within(v.Context, method, path, v.who.Token, text)
	if err != nil {
		return err
	}
	if answer.Status >= http.StatusBadRequest {
		said := &problem{}
		if json.Unmarshal(answer.Body, said) != nil || said.Detail == "" {
			return fmt.Errorf("%s %s: status %d", method, path, answer.Status)
		}
		return said
	}
	if into == nil || len(answer.Body) == 0 {
		return nil
	}
	if err := json.NewDecoder(bytes.NewReader(answer.Body)).Decode(into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// get is ask without a body.
func (v *visit) get(path string, query url.Values, into any) error {
	return v.ask(http.MethodGet, path, query, nil, into)
}

// explain says what could not be shown or done, and what to do about it. Without an error there is nothing to say.
func (v *visit) explain(what string, err error) *views.Problem {
	if err == nil {
		return nil
	}
	var said *problem
	if !errors.As(err, &said) {
		tracing.Log(v.Request().Context(), v.console.log).Error("console", zap.String("page", v.Path()), zap.Error(err))
		return &views.Problem{
			What: what, Detail: "An internal error.",
			Do: "Its log line has the request id " + tracing.RequestID(v.Request().Context()) + ".",
		}
	}
	out := &views.Problem{What: what, Detail: said.Error()}
	switch said.Code {
	case core.CodeNotFound:
		if said.Detail == "there is no such call" {
			out.Detail = "This process does not run that part."
			out.Do = "Open the console of a replica that has the role, or switch the module on; Operations lists the roles of this one."
		}
	case core.CodeUnavailable, core.CodeTimeout:
		out.Do = "It is asked again when you load the page. The pipeline shows what is away."
	case core.CodeOverloaded, core.CodeRateLimited:
		out.Do = "There is much to do at the moment: try again in a second."
	case core.CodeForbidden:
		out.Do = "Log in with a token that may do this."
	case core.CodeConflict:
		out.Do = "Load the page again, look at what changed, and decide anew."
	default: // it says itself what would be right
	}
	return out
}

// show answers with a page.
func (v *visit) show(name, title, active string, content any) error {
	note, taken := session.NoteOf(v.Request(), isHTTPS(v.Context))
	if taken != nil {
		v.SetCookie(taken)
	}
	return v.console.write(v.Context, http.StatusOK, name, views.Page{
		Title: title, Active: active, Name: nameOf(v.who), Reads: v.who.Reads, Mark: v.who.Mark(), Note: note,
		Version: v.console.process.Version, Content: content,
	})
}

// nameOf is never empty: who is logged in can log out.
func nameOf(who *session.Session) string {
	if who.Name == "" {
		return "a token without a subject"
	}
	return who.Name
}

// done leads to a page that says what was done.
func (v *visit) done(to, format string, args ...any) error {
	v.SetCookie(session.Note(fmt.Sprintf(format, args...), isHTTPS(v.Context)))
	return v.Redirect(http.StatusSeeOther, to)
}

func (c *Console) write(e echo.Context, status int, name string, page views.Page) error {
	text, err := c.views.Make(name, page)
	if err != nil {
		return err
	}
	return e.HTMLBlob(status, text)
}

// isHTTPS tells whether the browser speaks TLS, to us or to a proxy before us.
func isHTTPS(e echo.Context) bool {
	return e.IsTLS() || e.Request().Header.Get(echo.HeaderXForwardedProto) == "https"
}

// confirmation asks before an action is done: the same form again, with confirmed.
type confirmation struct {
	Action   string // where the form goes
	Fields   []field
	Question string
	Means    []string // what follows from it
	Yes      string   // the button; empty: there is nothing to do
	Danger   bool
	Back     string
	Problem  *views.Problem
}

type field struct{ Name, Value string }

// confirm shows a confirmation with the values of the form that asked for it.
func (v *visit) confirm(title, active string, ask confirmation) error {
	ask.Action = v.Request().URL.Path
	values, err := v.FormParams()
	if err != nil {
		return core.Errorf(core.CodeInvalidRequest, "the form does not parse")
	}
	for name, all := range values {
		if name == "mark" || name == "confirmed" {
			continue
		}
		for _, value := range all {
			ask.Fields = append(ask.Fields, field{name, value})
		}
	}
	return v.show("confirm", title, active, ask)
}

// confirmed tells whether the form was one that confirms.
func (v *visit) confirmed() bool { return v.FormValue("confirmed") == "yes" }
