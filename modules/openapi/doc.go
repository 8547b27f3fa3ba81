// Package openapi serves the description of the API: /openapi.json (OpenAPI 3.1) for programs, /docs for people.
// openapi.yaml is the document; a test compares it with every registered route, and every answer of a property test
// with its schemas.
package openapi
