-- Forgets how far a comparison came, if that names people ($1: how they are named, joined by |): it begins anew.
DELETE FROM feedrank.cdc_resync WHERE state::text ~ ('(?<!\w)(' || $1 || ')(?!\w)')
