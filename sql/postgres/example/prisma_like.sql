-- A schema as Prisma makes it: quoted names, cuid keys that the client gives, timestamp(3) in UTC, an enum, a key of its
-- own for each like. With it belongs prisma_like.yaml.
CREATE TYPE public."Visibility" AS ENUM ('PUBLIC', 'FOLLOWERS', 'FRIENDS');
CREATE TABLE public."User" (
    "id"        text NOT NULL,
    "name"      text NOT NULL,
    "isPrivate" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deletedAt" timestamp(3),
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE TABLE public."Post" (
    "id"         text NOT NULL,
    "title"      text NOT NULL,
    "content"    text,
    "published"  boolean NOT NULL DEFAULT false,
    "visibility" public."Visibility" NOT NULL DEFAULT 'PUBLIC',
    "authorId"   text NOT NULL,
    "createdAt"  timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt"  timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Post_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES public."User"("id") ON DELETE CASCADE
);
CREATE INDEX "Post_authorId_createdAt_idx" ON public."Post" ("authorId", "createdAt");
CREATE INDEX "Post_createdAt_idx" ON public."Post" ("createdAt");
CREATE TABLE public."Comment" (
    "id"        text NOT NULL,
    "body"      text NOT NULL,
    "postId"    text NOT NULL,
    "authorId"  text NOT NULL,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Comment_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Comment_postId_fkey" FOREIGN KEY ("postId") REFERENCES public."Post"("id") ON DELETE CASCADE,
    CONSTRAINT "Comment_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES public."User"("id") ON DELETE CASCADE
);
CREATE TABLE public."Like" (
    "id"        text NOT NULL,
    "postId"    text NOT NULL,
    "userId"    text NOT NULL,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Like_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Like_postId_fkey" FOREIGN KEY ("postId") REFERENCES public."Post"("id") ON DELETE CASCADE,
    CONSTRAINT "Like_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."User"("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX "Like_userId_postId_key" ON public."Like" ("userId", "postId");
CREATE TABLE public."Follow" (
    "followerId"  text NOT NULL,
    "followingId" text NOT NULL,
    "createdAt"   timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Follow_pkey" PRIMARY KEY ("followerId", "followingId"),
    CONSTRAINT "Follow_followerId_fkey" FOREIGN KEY ("followerId") REFERENCES public."User"("id") ON DELETE CASCADE,
    CONSTRAINT "Follow_followingId_fkey" FOREIGN KEY ("followingId") REFERENCES public."User"("id") ON DELETE CASCADE
);
CREATE TABLE public."Block" (
    "blockerId" text NOT NULL,
    "blockedId" text NOT NULL,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Block_pkey" PRIMARY KEY ("blockerId", "blockedId"),
    CONSTRAINT "Block_blockerId_fkey" FOREIGN KEY ("blockerId") REFERENCES public."User"("id") ON DELETE CASCADE,
    CONSTRAINT "Block_blockedId_fkey" FOREIGN KEY ("blockedId") REFERENCES public."User"("id") ON DELETE CASCADE
);
