-- Whom operators asked to erase through the API, and how far that is. Who asked is in admin_actions.
CREATE TABLE IF NOT EXISTS feedrank.erase_orders (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person       text,                    -- their key; null as soon as they are erased
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    step         text NOT NULL DEFAULT '', -- the last that is done
    error        text NOT NULL DEFAULT '', -- why the last attempt ended; it is tried again
    report       jsonb                    -- what was removed, of nobody by name
);
-- One at a time for each person.
CREATE UNIQUE INDEX IF NOT EXISTS erase_orders_open ON feedrank.erase_orders (person) WHERE finished_at IS NULL;
