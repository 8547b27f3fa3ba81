-- Who opted out of being recommended: their posts reach their followers, and no list for everybody.
ALTER TABLE users ADD COLUMN IF NOT EXISTS no_discovery Bool DEFAULT false AFTER private;
