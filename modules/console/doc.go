// Package console is what product people and operators look at: a user's feed with the reasons, why a post is
// missing, the pipeline, dead letters, the ranking, and what operators did. It is served under /console where /admin
// is.
//
// # A client of the API
//
// A screen asks the calls of /admin/v1 as a script would, by httpserver.Within: through the same routes and
// protections, with the token of who is logged in, and without the network. So a page can do nothing that the API does
// not allow its viewer, every change is recorded with who made it, and the console knows no other feature. What it
// reads of the answers is in the types beside each screen. Readiness and metrics come from the process itself.
//
// # Sessions
//
// Who logs in gives a token with the admin scope, or with the one that only reads. It is kept in a cookie that scripts
// do not see and other sites do not send (HttpOnly, SameSite=Strict); nothing is kept here. Every form carries a mark
// made of the token, and what a browser says comes from another site is refused before that. Link gives whoever
// starts the program by hand an address that logs in once. With console.oidc a provider logs in (package provider): the
// program then signs a token of the same scopes with a key of its own, and all else is as with any token.
//
// # Pages
//
// Pages are made here and whole (package views); their state is in the address. An action is first shown with what it
// would do, then confirmed. A part whose server is away says so, and the rest of the page stands. Pages have places
// of their own in the server (httpserver.Console), apart from those of feeds and of the API. The pipeline (package
// pipeline) is that of this process: a replica with other roles has a console with the rest. What replicas have in
// common is of all of them: breakers, versions, jobs, and orders for dead letters. Names of users are read from the
// app's table when somebody asks (package people), and never kept.
package console
