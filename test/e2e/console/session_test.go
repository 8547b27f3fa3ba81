package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/auth"
)

func TestWhoIsNotLoggedInIsSentToTheLoginAndBack(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.open("/console/why-not?user=1&post=2")
	require.Equal(t, http.StatusSeeOther, b.status)
	login := b.header.Get("Location")
	require.Equal(t, "/console/login?next=%2Fconsole%2Fwhy-not%3Fuser%3D1%26post%3D2", login)
	require.Contains(t, b.open(login), "again=1", "a link from elsewhere comes without the cookie: it is tried once more")
	require.NotContains(t, b.open(login+"&again=1"), `http-equiv="refresh"`)
	require.Contains(t, b.header.Get("Content-Security-Policy"), "script-src 'self'")
	require.NotContains(t, b.header.Get("Content-Security-Policy"), "unsafe")

	token, err := auth.SignOperator(w.cfg.Auth, "ana", false, time.Hour, time.Now())
	require.NoError(t, err)
	b.send("/console/login", url.Values{"token": {" Bearer " + token + "\n"}, "next": {"/console/why-not?user=1&post=2"}})
	require.Equal(t, http.StatusSeeOther, b.status, b.page)
	require.Equal(t, "/console/why-not?user=1&post=2", b.header.Get("Location"))
	cookie := b.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/console"} {
		require.Contains(t, cookie, part)
	}
	require.Contains(t, b.open("/console/actions"), "ana")
	require.Contains(t, b.page, "operator")
	b.submit("/console/logout", url.Values{})
	require.Equal(t, http.StatusSeeOther, b.status)
	b.open("/console/actions")
	require.Equal(t, http.StatusSeeOther, b.status)

	for _, elsewhere := range []string{"https://evil.example/", "//evil.example", "/console/login", "/api", `/console\evil`} {
		b.send("/console/login", url.Values{"token": {token}, "next": {elsewhere}})
		require.Equal(t, "/console", b.header.Get("Location"), elsewhere)
	}
	users := w.program.Addr()
	response, err := http.Get("http://" + users + "/console/login") // a test, and the server is its own
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode, "it is at the operators' address alone")
}

func TestATokenWithoutTheScopeIsToldWhatToDo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	token, err := auth.Sign(w.cfg.Auth, 1, false, time.Hour, time.Now())
	require.NoError(t, err)
	b.send("/console/login", url.Values{"token": {token}})
	require.Equal(t, http.StatusForbidden, b.status)
	require.Contains(t, b.page, "has neither the scope admin nor admin-read")
	require.Contains(t, b.page, "Ask whoever issues tokens")
	require.NotContains(t, b.header.Get("Set-Cookie"), token)
	for _, wrong := range []string{"", "nonsense", token[:len(token)-3], strings.Repeat("x", 5000)} {
		b.send("/console/login", url.Values{"token": {wrong}})
		require.Equal(t, http.StatusUnauthorized, b.status, wrong)
		require.Contains(t, b.page, "The token does not hold")
		require.Empty(t, b.header.Get("Set-Cookie"))
	}
}

func TestALinkLogsInOnce(t *testing.T) {
	w := newWorld(t)
	link := strings.TrimPrefix(w.program.ConsoleAddress("demo", time.Minute), w.base)
	require.Contains(t, link, "/console/login?once=")
	b := w.browser()
	b.open(link + "&next=%2Fconsole%2Ffeed")
	require.Equal(t, http.StatusSeeOther, b.status)
	require.Equal(t, "/console/feed", b.header.Get("Location"))
	require.Contains(t, b.open("/console/feed"), "demo")
	other := w.browser()
	other.open(link)
	require.Equal(t, http.StatusForbidden, other.status)
	require.Contains(t, other.page, "does not hold any more")
	late := strings.TrimPrefix(w.program.ConsoleAddress("demo", -time.Second), w.base)
	other.open(late)
	require.Equal(t, http.StatusForbidden, other.status)
}

func TestAFormOfAnotherSiteOrSessionIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	force := url.Values{"do": {"breaker"}, "name": {"redis"}, "mode": {"open"}, "confirmed": {"yes"}}
	b.send("/console/operations", force)
	require.Equal(t, http.StatusForbidden, b.status, "without a mark")
	require.Contains(t, b.page, "not of your session")
	ben := w.operator("ben", false)
	found := mark.FindStringSubmatch(ben.open("/console/operations"))
	force.Set("mark", found[1])
	b.send("/console/operations", force)
	require.Equal(t, http.StatusForbidden, b.status, "with that of another session")
	force.Set("mark", mark.FindStringSubmatch(b.open("/console/operations"))[1])
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		b.send("/console/operations", force, header...)
		require.Equal(t, http.StatusForbidden, b.status, header)
		require.Contains(t, b.page, "another site sent it")
	}
	require.NotContains(t, b.open("/console/operations"), "forced open")
	b.submit("/console/operations", force)
	b.follow()
	b.until("/console/operations", "forced open") // the same form goes through from here
}

func TestWhoOnlyReadsSeesEverythingAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.operator("eve", true)
	for _, path := range []string{
		"/feed?user=1", "/why-not?user=1&post=2", "/trending", "/ranking", "/quality",
		"/suggestions?user=1", "/feed/compare?user=1&freshness=1", "/pipeline", "/dead-letters", "/operations",
		"/actions", "/runbook",
	} {
		b.open("/console" + path)
		require.Equal(t, http.StatusOK, b.status, path)
		require.Contains(t, b.page, "reads only", path)
		require.NotContains(t, b.page, `value="save"`, path)
		require.NotContains(t, b.page, "Force open", path)
	}
	b.open("/console/operations")
	b.submit("/console/operations", url.Values{"do": {"breaker"}, "name": {"redis"}, "mode": {"open"}, "confirmed": {"yes"}})
	require.Contains(t, b.page, "not the one that only reads")
	require.NotContains(t, b.open("/console/operations"), "forced open")
}

func TestWhatPeopleWroteShowsAsText(t *testing.T) {
	w := newWorld(t)
	const script = `"><script>alert(1)</script>`
	b := w.operator(script, false)
	w.spoil(script)
	b.until("/console/dead-letters?queue=events", "/console/dead-letters/letter")
	letter := regexpLetter.FindStringSubmatch(b.page)
	escaped := url.QueryEscape(script)
	for _, path := range []string{
		"/feed?user=" + escaped, "/why-not?user=" + escaped + "&post=" + escaped,
		"/dead-letters?reason=" + escaped + "&topic=" + escaped, "/dead-letters?queue=" + escaped,
		"/dead-letters/letter?queue=events&id=" + escaped, "/actions?who=" + escaped, "/trending?window=" + escaped,
		"/runbook?entry=" + escaped, "/login?next=" + escaped,
	} {
		require.NotContains(t, b.open("/console"+path), "<script>alert", path)
		require.NotContains(t, b.page, "<script>alert", path)
	}
	b.open("/console/dead-letters/letter?queue=events&id=" + url.QueryEscape(letter[1]))
	require.NotContains(t, b.page, "alert(1)</pre>", "the record is not shown before somebody asks")
	b.submit("/console/dead-letters/letter", url.Values{"queue": {"events"}, "id": {letter[1]}})
	require.Contains(t, b.page, "&lt;script&gt;alert(1)")
	require.NotContains(t, b.open("/console/dead-letters/letter?queue=events&id="+url.QueryEscape(letter[1])), "alert(1)</pre>",
		"nor the next time")
	reader := w.operator("eve", true)
	reader.open("/console/dead-letters/letter?queue=events&id=" + url.QueryEscape(letter[1]))
	reader.submit("/console/dead-letters/letter", url.Values{"queue": {"events"}, "id": {letter[1]}})
	require.Contains(t, reader.page, "&lt;script&gt;alert(1)")
	b.until("/console/actions?what=dead_letters.look&who=eve", letter[1])
	require.NotContains(t, b.page, "<script>alert")
}
