//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
)

const settingNow = "SELECT toString(getSetting('max_block_size'))"

func TestAQuerysSettingsHoldForItAlone(t *testing.T) {
	c := dial(t)
	ctx := context.Background()
	before := text(t, c, settingNow)
	ask := func(settings ...ch.Setting) string {
		var s proto.ColStr
		require.NoError(t, c.Do(ctx, ch.Query{Body: settingNow, Settings: settings, Result: proto.Results{{Data: &s}}}))
		return s.Row(0)
	}
	require.Equal(t, "77", ask(ch.SettingInt("max_block_size", 77)))
	require.Equal(t, before, text(t, c, settingNow))
	require.Equal(t, "78", ask(ch.SettingInt("max_block_size", 77), ch.SettingInt("max_block_size", 78)), "the last one counts")
	require.Equal(t, before, text(t, dial(t), settingNow), "another client")

	// With a clause of its own, on statements of every kind.
	require.Equal(t, "5", text(t, c, settingNow+" SETTINGS max_block_size = 5 FORMAT JSON; -- and more"))
	for _, body := range []string{
		"CREATE TABLE IF NOT EXISTS settings_hold (a UInt8) ENGINE = Memory",
		"INSERT INTO settings_hold SELECT 1", "SHOW TABLES", "EXPLAIN SELECT 1", "SYSTEM STOP MERGES", "SYSTEM START MERGES",
		"DROP TABLE settings_hold",
	} {
		require.NoError(t, c.Do(ctx, ch.Query{
			Body: body, Settings: []ch.Setting{ch.SettingInt("max_block_size", 77)},
			Result: (&proto.Results{}).Auto(), OnResult: func(context.Context, proto.Block) error { return nil },
		}), body)
		require.Equal(t, before, text(t, c, settingNow), body)
	}
}

func TestAnUnknownSettingFailsTheQueryOnlyIfItIsImportant(t *testing.T) {
	c := dial(t)
	unknown := ch.Setting{Key: "no_such_setting", Value: "1"}
	require.NoError(t, c.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0", Settings: []ch.Setting{unknown}}))
	unknown.Important = true
	requireCode(t, proto.ErrUnknownSetting, c.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0", Settings: []ch.Setting{unknown}}))
	bad := ch.Setting{Key: "max_threads", Value: "many"}
	require.True(t, ch.IsException(c.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0", Settings: []ch.Setting{bad}})))
	require.Equal(t, uint64(1), number(t, c, "SELECT toUInt64(1)"), "the connection goes on")
}

func TestASessionThatCannotBeRestoredIsReplaced(t *testing.T) {
	c := dial(t)
	do(t, c, "SET max_block_size = 99")
	require.NoError(t, c.Do(context.Background(), ch.Query{
		Body: "SELECT 1 WHERE 0", Settings: []ch.Setting{ch.SettingInt("readonly", 1), ch.SettingInt("max_block_size", 98)},
	}))
	require.Equal(t, "99", text(t, c, settingNow), "its own settings outlive the replacement")
	do(t, c, "CREATE TABLE IF NOT EXISTS restored (a UInt8) ENGINE = Memory")
	do(t, c, "DROP TABLE restored")
}

func TestWhatAClientSetsOrCreatesTemporarilyStaysItsOwn(t *testing.T) {
	a, b := dial(t), dial(t)
	other := text(t, b, settingNow)
	do(t, a, "SET max_block_size = 123")
	require.Equal(t, "123", text(t, a, settingNow))
	require.NoError(t, a.Do(context.Background(), ch.Query{Body: "SELECT 1 WHERE 0", Settings: []ch.Setting{ch.SettingInt("max_block_size", 7)}}))
	require.Equal(t, "123", text(t, a, settingNow), "a query's setting gives way to the session's")
	require.Equal(t, other, text(t, b, settingNow))

	do(t, a, "CREATE TEMPORARY TABLE mine (n UInt64)")
	var n proto.ColUInt64
	n.Append(5)
	input := proto.Input{{Name: "n", Data: &n}}
	require.NoError(t, a.Do(context.Background(), ch.Query{Body: input.Into("mine"), Input: input}))
	require.Equal(t, uint64(5), number(t, a, "SELECT sum(n) FROM mine"))
	requireCode(t, proto.ErrUnknownTable, b.Do(context.Background(), ch.Query{Body: "SELECT * FROM mine"}))
}

func TestEachClientHasADatabaseOfItsOwn(t *testing.T) {
	a := dial(t)
	require.Equal(t, testDatabase, text(t, a, "SELECT currentDatabase()"))
	do(t, a, "CREATE DATABASE IF NOT EXISTS `odd ``name`")
	do(t, a, "USE `odd ``name`")
	require.Equal(t, "odd `name", text(t, a, "SELECT currentDatabase()"))
	b := dial(t, func(o *ch.Options) { o.Database = "odd `name" })
	require.Equal(t, "odd `name", text(t, b, "SELECT currentDatabase()"))
	require.Equal(t, testDatabase, text(t, dial(t), "SELECT currentDatabase()"))
	require.True(t, ch.IsException(a.Do(context.Background(), ch.Query{Body: "SELECT nope"})))
	require.Equal(t, "odd `name", text(t, a, "SELECT currentDatabase()"), "after an error too")

	// ch-go asks for the database called default when told none, which is then the one that exists.
	require.Equal(t, "default", text(t, dial(t, func(o *ch.Options) { o.Database = "" }), "SELECT currentDatabase()"))
}

func TestQueryParametersReachTheEngineWithTheirTypes(t *testing.T) {
	c := dial(t)
	var s proto.ColStr
	var n proto.ColUInt64
	require.NoError(t, c.Do(context.Background(), ch.Query{
		Body:       "SELECT {s:String} AS s, sum(arrayJoin({list:Array(UInt64)})) AS n FROM system.{table:Identifier}",
		Parameters: ch.Parameters(map[string]any{"s": `it is "quoted"`, "list": "[1, 2, 3]", "table": "one"}),
		Result:     proto.Results{{Name: "s", Data: &s}, {Name: "n", Data: &n}},
	}))
	require.Equal(t, `it is "quoted"`, s.Row(0))
	require.Equal(t, uint64(6), n.Row(0))

	err := c.Do(context.Background(), ch.Query{Body: "SELECT {s:String}"})
	requireCode(t, proto.ErrUnknownQueryParameter, err, "parameters hold for one query")
	requireCode(t, proto.ErrBadQueryParameter, c.Do(context.Background(), ch.Query{
		Body: "SELECT {n:UInt8}", Parameters: ch.Parameters(map[string]any{"n": "many"}),
	}))
}

func requireCode(t testing.TB, code proto.Error, err error, message ...any) {
	t.Helper()
	e, ok := ch.AsException(err)
	require.True(t, ok, "%v is not an exception", err)
	require.Equal(t, code, e.Code, append(message, err)...)
}
