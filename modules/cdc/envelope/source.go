package envelope

import (
	"encoding/json"
	"time"
)

type wireSource struct {
	Schema   string          `json:"schema"`
	Table    string          `json:"table"`
	LSN      *uint64         `json:"lsn"`
	TxID     *int64          `json:"txId"`
	TsMs     *int64          `json:"ts_ms"`
	TsUs     *int64          `json:"ts_us"`
	Snapshot json.RawMessage `json:"snapshot"`
	Sequence *string         `json:"sequence"`
	System   *string         `json:"system"`
	Lead     *string         `json:"lead"`
	Timeline uint32          `json:"timeline"`
	Times    map[string]Unit `json:"times"`
}

func decodeSource(raw json.RawMessage) (Source, error) {
	if isNull(raw) {
		return Source{}, Errorf(ReasonNotEnvelope, "no source")
	}
	var in wireSource
	if err := json.Unmarshal(raw, &in); err != nil {
		return Source{}, unreadable(err)
	}
	out := Source{Schema: in.Schema, Table: in.Table, Snapshot: parseSnapshot(in.Snapshot)}
	if in.LSN != nil {
		out.LSN = *in.LSN
	}
	if in.TxID != nil {
		out.TxID = *in.TxID
	}
	switch {
	case in.TsUs != nil && *in.TsUs > 0:
		out.CommittedAt = time.UnixMicro(*in.TsUs).UTC()
	case in.TsMs != nil && *in.TsMs > 0:
		out.CommittedAt = time.UnixMilli(*in.TsMs).UTC()
	}
	if in.Sequence != nil {
		out.StreamPosition = parseSequence(*in.Sequence)
	}
	if in.System != nil {
		out.System, _ = parseUint(*in.System)
	}
	out.Times, out.Timeline = in.Times, in.Timeline
	if in.Lead != nil {
		out.LeaderEpoch, _ = parseUint(*in.Lead)
	}
	return out, nil
}

// parseSequence reads `["lastCommit","lsn"]`. The first is null until a first commit was seen, and
// in snapshots: then the position is not known, and nothing is concluded from it.
func parseSequence(s string) StreamPosition {
	var pair []*string
	if json.Unmarshal([]byte(s), &pair) != nil || len(pair) != 2 || pair[0] == nil || pair[1] == nil {
		return StreamPosition{}
	}
	last, ok1 := parseUint(*pair[0])
	lsn, ok2 := parseUint(*pair[1])
	return StreamPosition{Known: ok1 && ok2, LastCommit: last, LSN: lsn}
}

// parseSnapshot reads the marker, which is a boolean or a string by the connector's version. What
// is not known is taken for a snapshot: nothing is concluded from the position of such a record.
func parseSnapshot(raw json.RawMessage) Snapshot {
	switch string(raw) {
	case "", "null", "false", `"false"`:
		return Streaming
	case `"incremental"`:
		return Incremental
	default:
		return Initial
	}
}
