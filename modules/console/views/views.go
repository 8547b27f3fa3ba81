package views

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/weave"
)

//go:embed templates/*.html assets/*
var files embed.FS

// Policy is the console's content security policy: only what this address serves, no script or style within a page,
// forms that lead here, and nobody's frame.
const Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Page is what every page has besides its content.
type Page struct {
	Title   string
	Active  string // the screen, in the navigation
	Name    string // who is logged in; empty: nobody
	Reads   bool   // they change nothing
	Mark    string // of forms
	Note    string // what the last action did
	Version string
	Content any
}

// Problem is something that could not be shown or done, and what to do about it.
type Problem struct {
	What   string // is missing
	Detail string
	Do     string
}

// Asset is a file that pages refer to.
type Asset struct {
	Type string
	Body []byte
}

// Views are the parsed pages. It is safe for concurrent use.
type Views struct {
	pages  map[string]*weave.Templates
	assets map[string]Asset // by name with the digest
	links  map[string]string
}

// New parses the pages.
func New(clock core.Clock) (*Views, error) {
	v := &Views{pages: map[string]*weave.Templates{}, assets: map[string]Asset{}, links: map[string]string{}}
	if err := v.readAssets(); err != nil {
		return nil, err
	}
	functions := functions(clock)
	functions["asset"] = func(name string) string { return v.links[name] }
	frame, err := fs.ReadFile(files, "templates/_frame.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		own, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		page, err := weave.New(functions, string(frame), string(own))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		v.pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return v, nil
}

func (v *Views) readAssets() error {
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		body, err := fs.ReadFile(files, "assets/"+entry.Name())
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		extension := path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		v.assets[name] = Asset{Type: types[extension], Body: body}
		v.links[entry.Name()] = "/console/assets/" + name
	}
	return nil
}

// Asset is a file by the name that pages use, which has a digest in it: it never changes.
func (v *Views) Asset(name string) (Asset, bool) {
	a, ok := v.assets[name]
	return a, ok
}

// Make makes a page. It is whole, or an error.
func (v *Views) Make(name string, p Page) ([]byte, error) {
	page := v.pages[name]
	if page == nil {
		return nil, fmt.Errorf("there is no page %s", name)
	}
	text, err := page.Execute("frame", p)
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return text, nil
}
