-- Hidden users (suspended, deactivated) stay, marked, like hidden posts: they may come back.
ALTER TABLE users ADD COLUMN IF NOT EXISTS hidden Bool DEFAULT false AFTER id;
