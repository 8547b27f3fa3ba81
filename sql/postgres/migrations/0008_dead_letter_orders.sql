-- What operators ordered to be done with all dead letters that match, and how far it came. Who did is in admin_actions.
CREATE TABLE IF NOT EXISTS feedrank.dead_letter_orders (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue        text NOT NULL,
    action       text NOT NULL, -- replayed or discarded: what becomes of the letters
    filter       jsonb NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    matched      int NOT NULL DEFAULT 0,
    done         int NOT NULL DEFAULT 0,
    skipped      int NOT NULL DEFAULT 0,
    error        text NOT NULL DEFAULT ''
);
