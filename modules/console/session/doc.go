// Package session is who looks at the console: a token in a cookie that scripts cannot read and other sites cannot
// send, the mark by which a form is known as ours, and links that log in once.
//
// Nothing is kept here of who is logged in, so every replica knows a session, and it ends with its token.
package session
