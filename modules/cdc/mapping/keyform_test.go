package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

const (
	ann = "0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f"
	bob = "0192f0c1-8a4e-7cc3-98c4-dc0c0c073990"
)

func keyed(t *testing.T, users, posts core.KeyForm) *mapping.Mapping {
	t.Helper()
	c := mapping.Default()
	c.Post.HiddenWhen = nil
	c.Keys = core.KeyForms{Users: users, Posts: posts}
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	return m
}

func keyOf(t *testing.T, text string) core.Key {
	t.Helper()
	key, err := core.ParseKey(text)
	require.NoError(t, err)
	return key
}

func TestARowTellsTheKeysWhoseNumbersWereDerived(t *testing.T) {
	m := keyed(t, core.UUIDKeys, core.TextKeys)
	const at = `,"created_at":"2026-01-01T00:00:00Z"}`
	post, err := m.Of(mapping.Post).Alive(row(t, `{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`),
		row(t, `{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","author_id":"`+ann+`"`+at))
	require.NoError(t, err)
	require.Equal(t, []core.Key{keyOf(t, "01ARZ3NDEKTSV4RRFFQ69G5FAV"), keyOf(t, ann)}, post.Keys)
	require.EqualValues(t, keyOf(t, ann).ID, post.First)
	require.EqualValues(t, keyOf(t, "01ARZ3NDEKTSV4RRFFQ69G5FAV").ID, post.ID)

	like, err := m.Of(mapping.Like).Alive(row(t, `{"user_id":"`+ann+`","post_id":"77"}`),
		row(t, `{"user_id":"0192F0C1-8A4E-7CC3-98C4-DC0C0C07398F","post_id":"77"`+at))
	require.NoError(t, err)
	require.Equal(t, []core.Key{keyOf(t, ann)}, like.Keys, "77 is its own number, and a UUID has one form")
	require.EqualValues(t, 77, like.Other)
	require.Equal(t, "77:"+ann, like.Key)

	gone, err := m.Of(mapping.User).Deleted(row(t, `{"id":"`+ann+`"}`))
	require.NoError(t, err)
	require.Equal(t, mapping.Row{
		Key: ann, ID: int64(keyOf(t, ann).ID), Gone: true, Keys: []core.Key{keyOf(t, ann)},
	}, gone)

	nobody, err := m.Of(mapping.Post).Alive(row(t, `{"id":"1"}`), row(t, `{"id":"1","author_id":null`+at))
	require.NoError(t, err)
	require.Zero(t, nobody.First)
	require.Empty(t, nobody.Keys)
}

func TestAPairAndItsPeopleAreReadFromAKeyOfAnyForm(t *testing.T) {
	m := keyed(t, core.UUIDKeys, core.UUIDKeys)
	follows := m.Of(mapping.Follow)
	key := row(t, `{"follower_id":"`+ann+`","followee_id":"`+bob+`"}`)
	first, other := follows.Pair(key)
	require.EqualValues(t, keyOf(t, ann).ID, first)
	require.EqualValues(t, keyOf(t, bob).ID, other)
	gone, err := follows.Deleted(key)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, int64(keyOf(t, ann).ID), int64(keyOf(t, bob).ID)}, follows.People(gone, key))
	first, other = follows.Pair(row(t, `{"follower_id":"nobody","followee_id":"`+bob+`"}`))
	require.Zero(t, first)
	require.Zero(t, other)
}

func TestKeysAsDebeziumWritesThem(t *testing.T) {
	const decimal = `{"type":"struct","fields":[{"field":"id","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"}}]}`
	for name, one := range map[string]struct {
		form core.KeyForm
		key  string // the record's
		want string // the app's; empty: refused
	}{
		"an integer":              {core.IntegerKeys, `{"id":7}`, "7"},
		"a negative one":          {core.IntegerKeys, `{"id":-99}`, "-99"},
		"the largest one":         {core.IntegerKeys, `{"id":9223372036854775807}`, "9223372036854775807"},
		"nobody":                  {core.IntegerKeys, `{"id":0}`, ""},
		"a numeric as text":       {core.IntegerKeys, `{"id":"12"}`, "12"},
		"a numeric with decimals": {core.IntegerKeys, `{"id":"12.0"}`, ""},
		"a numeric of any scale":  {core.IntegerKeys, `{"id":{"scale":0,"value":"AeJA"}}`, "123456"},
		"one that has a scale":    {core.IntegerKeys, `{"id":{"scale":1,"value":"AeJA"}}`, ""},
		"a numeric with its schema": {
			core.IntegerKeys, `{"schema":` + decimal + `,"payload":{"id":"AeJA"}}`,
			"123456",
		},
		"a text in an integer app": {core.IntegerKeys, `{"id":"abc"}`, ""},
		"a large numeric": {
			core.TextKeys, `{"schema":` + decimal + `,"payload":{"id":"APC+Qt8="}}`,
			"4039000799",
		},
		"one beyond 64 bits": {
			core.TextKeys, `{"id":{"scale":0,"value":"AQAAAAAAAAAA"}}`,
			"18446744073709551616",
		},
		"a text that looks like one": {
			core.TextKeys, `{"id":"{\"scale\":0,\"value\":\"AQ==\"}"}`,
			`{"scale":0,"value":"AQ=="}`,
		},
		"an integer in a text app":   {core.TextKeys, `{"id":7}`, "7"},
		"a cuid":                     {core.TextKeys, `{"id":"ckv1x2y3z0000abcd"}`, "ckv1x2y3z0000abcd"},
		"a float":                    {core.TextKeys, `{"id":7.5}`, ""},
		"a flag":                     {core.TextKeys, `{"id":true}`, ""},
		"an empty text":              {core.TextKeys, `{"id":""}`, ""},
		"what the log does not tell": {core.TextKeys, `{"id":"__debezium_unavailable_value"}`, ""},
		"a UUID":                     {core.UUIDKeys, `{"id":"` + ann + `"}`, ann},
		"a UUID as text of a struct": {core.UUIDKeys, `Struct{id=` + ann + `}`, ann},
		"an integer in a UUID app":   {core.UUIDKeys, `{"id":7}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := envelope.DecodeKey([]byte(one.key))
			require.NoError(t, err)
			got, err := keyed(t, one.form, one.form).Of(mapping.User).Deleted(key)
			if one.want == "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			want := keyOf(t, one.want)
			require.EqualValues(t, want.ID, got.ID)
			if want.Text == "" {
				require.Nil(t, got.Keys)
			} else {
				require.Equal(t, []core.Key{want}, got.Keys)
			}
		})
	}
}

func TestAConstantIsAKeyOfItsForm(t *testing.T) {
	c := mapping.Default()
	c.Keys = core.KeyForms{Users: core.UUIDKeys, Posts: core.IntegerKeys}
	delete(c.Follow.Columns, "followee_id")
	c.Follow.Constants = map[string]string{"followee_id": bob}
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	got, err := m.Of(mapping.Follow).Alive(row(t, `{"follower_id":"`+ann+`"}`),
		row(t, `{"follower_id":"`+ann+`","created_at":"2026-01-01T00:00:00Z"}`))
	require.NoError(t, err)
	require.Equal(t, []core.Key{keyOf(t, ann), keyOf(t, bob)}, got.Keys)
	c.Follow.Constants["followee_id"] = "7"
	require.Contains(t, c.Check()["follow.constants.followee_id"], "UUID")
}

func TestRowsOfIntegerAppsHoldNoKeys(t *testing.T) {
	likes := keyed(t, core.IntegerKeys, "").Of(mapping.Like)
	got, err := likes.Alive(row(t, `{"user_id":1,"post_id":2}`),
		row(t, `{"user_id":1,"post_id":2,"created_at":"2026-01-01T00:00:00Z"}`))
	require.NoError(t, err)
	require.Nil(t, got.Keys)
}

func TestAColumnSaysWhoseKeysItHolds(t *testing.T) {
	m := keyed(t, core.UUIDKeys, core.TextKeys)
	require.Equal(t, []mapping.Refers{
		{Field: "user_id", Column: "user_id", To: mapping.User},
		{Field: "post_id", Column: "post_id", To: mapping.Post},
	}, m.Of(mapping.Like).Refers())
	require.Equal(t, []mapping.Refers{
		{Field: "id", Column: "id", To: mapping.Post}, {Field: "author_id", Column: "author_id", To: mapping.User},
	}, m.Of(mapping.Post).Refers())
	require.Equal(t, []mapping.Refers{
		{Field: "muter_id", Column: "muter_id", To: mapping.User},
		{Field: "muted_id", Column: "muted_id", To: mapping.User},
	}, m.Of(mapping.Mute).Refers())
	require.Equal(t, core.TextKeys, m.Of(mapping.Like).Form("post_id"))
	require.Equal(t, core.UUIDKeys, m.Of(mapping.Like).Form("user_id"))
}
