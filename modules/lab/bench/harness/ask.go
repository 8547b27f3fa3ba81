package harness

import (
	"context"
	"io"
	"net/http"
	"time"
)

// AskTimeout bounds a look at the program that is no part of a load.
const AskTimeout = 2 * time.Second

// Fetch gets an answer beside the load.
func Fetch(ctx context.Context, url, token string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end, or given up
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
