-- When a block or a mute ends by itself; the beginning of 1970: not.
ALTER TABLE viewer_edges ADD COLUMN IF NOT EXISTS until DateTime64(6, 'UTC') DEFAULT toDateTime64(0, 6, 'UTC') AFTER created_at;
