// Package docs makes a page for people of the description of the API: /docs. It needs nothing but itself, no script and
// no other host.
//
// document.go reads openapi.yaml in its order, types.go says in words what a schema takes, example.go makes a body that
// is one, and page.html shows it all.
package docs
