-- The labels of a post from its own columns, ascending: numbers of texts such as lang:de.
ALTER TABLE posts ADD COLUMN IF NOT EXISTS labels Array(Int64) DEFAULT [] AFTER group_id;
