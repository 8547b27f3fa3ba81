package audit

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/adminapi"
	"github.com/feedrank/feedrank/test/wait"
)

func TestTheAdminCallsTellTheLastReportAndRunOneAtATime(t *testing.T) {
	w := newWorld(t)
	call := adminapi.Serve(t, "/admin/v1/audit", NewAPI(w.service).Routes())
	empty := call("GET", "", "", 200)
	require.Nil(t, empty["last"])
	require.Equal(t, false, empty["running"])

	call("POST", "/run", "{", 400)
	call("POST", "/run", `{"since":"soon"}`, 400)
	call("POST", "/run", `{"since":"-1h"}`, 400)
	call("POST", "/run?x=1", "", 400)
	unlock, err := w.service.store.lock(t.Context()) // another process audits
	require.NoError(t, err)
	require.Equal(t, true, call("GET", "", "", 200)["running"])
	require.Equal(t, "conflict", call("POST", "/run", "", 409)["code"])
	_, err = w.service.Run(t.Context(), w.service.Defaults())
	require.ErrorIs(t, err, ErrRunning)
	require.NoError(t, unlock())

	require.Equal(t, "96h0m0s", call("POST", "/run", `{"since":"96h","repair":false}`, 202)["since"])
	wait.Until(t, func() bool {
		answer := call("GET", "", "", 200)
		return answer["running"] == false && answer["last"] != nil
	})
	require.Equal(t, true, call("GET", "", "", 200)["ok"])
}
