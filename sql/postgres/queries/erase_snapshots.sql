-- Forgets the last key of a snapshot that is over, if it names people ($1: how they are named, joined by |).
UPDATE feedrank.cdc_snapshots SET last_key = NULL WHERE done AND last_key ~ ('(?<!\w)(' || $1 || ')(?!\w)')
