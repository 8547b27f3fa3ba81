// Package auth verifies the bearer tokens (JWT, RFC 7519) of users and operators, and signs development tokens.
//
//	algorithms  HS256 with auth.hs256_secret; RS256, ES256 and EdDSA with the key set at auth.jwks_url. Each has its
//	            own kind of key, so no public key is taken for a secret. Every other alg, none too, is refused.
//	key set     cached, read again every 10 min, and when a key id is seen for the first time: once in 30 s at most,
//	            whoever makes ids up. All who bring it wait for the one fetch, 5 s at most. Known keys verify while
//	            the key server is away.
//	claims      exp must be there; nbf, and iss and aud where configured; auth.leeway for all times; at most 8 KiB;
//	            sub is the user's id.
//	services    the scope auth.act_as_scope lets a token name one user in the header Act-As. It has no other right
//	            meanwhile, and each call is logged.
//	sessions    of operators whom console.oidc logged in: HS256 with a key of its own, known by its key id. They stand
//	            for no user.
//	operators   the scope auth.admin_scope. With http.admin_addr the paths under /admin, /metrics and the profiles
//	            are at that address alone; profiles are never at the other.
//
// A token that verified is remembered for a minute (verified.go): what is sent again with every request is taken apart
// once. Its expiry is checked each time. matrix_test.go holds each algorithm to each claim.
package auth
