-- Forgets how far a comparison came, if that names people ($1: their ids, joined by |): it begins anew.
DELETE FROM feedrank.cdc_resync WHERE state::text ~ ('\m(' || $1 || ')\M')
