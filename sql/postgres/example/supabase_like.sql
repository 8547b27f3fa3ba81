-- A schema in the manner of Supabase: UUID keys, people in auth.users with a profile beside, row level security that asks
-- who is signed in, private profiles, posts for followers, friends and groups. With it belongs supabase_like.yaml. Our role needs BYPASSRLS,
-- which Supabase's postgres has.
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email      text UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;

CREATE TABLE public.profiles (
    id         uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
    username   text UNIQUE NOT NULL,
    is_private boolean NOT NULL DEFAULT false,
    banned_at  timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.groups (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.group_members (
    group_id   uuid NOT NULL REFERENCES public.groups ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    accepted   boolean NOT NULL DEFAULT false, -- until then they only asked
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON public.group_members (user_id);
CREATE TABLE public.posts (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    author_id  uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    group_id   uuid REFERENCES public.groups ON DELETE CASCADE, -- for its members alone
    content    text NOT NULL,
    visibility text NOT NULL DEFAULT 'public'
        CHECK (visibility IN ('public', 'unlisted', 'followers', 'friends', 'private')),
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX posts_author_created ON public.posts (author_id, created_at DESC);
CREATE INDEX posts_created ON public.posts (created_at);
CREATE TABLE public.comments (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id    uuid NOT NULL REFERENCES public.posts ON DELETE CASCADE,
    author_id  uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    content    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.likes (
    user_id    uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    post_id    uuid NOT NULL REFERENCES public.posts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, post_id)
);
CREATE TABLE public.hidden_posts (
    user_id    uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    post_id    uuid NOT NULL REFERENCES public.posts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, post_id)
);
CREATE TABLE public.follows (
    follower_id  uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    following_id uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_id, following_id)
);
CREATE TABLE public.blocks (
    blocker_id uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    blocked_id uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blocker_id, blocked_id)
);
CREATE INDEX blocks_blocked ON public.blocks (blocked_id);
CREATE TABLE public.mutes (
    muter_id   uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    muted_id   uuid NOT NULL REFERENCES public.profiles ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (muter_id, muted_id)
);

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.group_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.follows ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.blocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.mutes ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON public.profiles FOR SELECT USING (banned_at IS NULL);
CREATE POLICY mine ON public.blocks FOR ALL USING (blocker_id = auth.uid());
CREATE POLICY mine ON public.mutes FOR ALL USING (muter_id = auth.uid());
CREATE POLICY mine ON public.follows FOR ALL USING (follower_id = auth.uid());
CREATE POLICY mine ON public.group_members FOR SELECT USING (user_id = auth.uid());
CREATE POLICY visible ON public.posts FOR SELECT
    USING (author_id = auth.uid() OR deleted_at IS NULL AND group_id IS NULL AND visibility = 'public');
