/* SPDX-License-Identifier: Apache-2.0
 *
 * tag_push - the interface to what pushes a tag to a repository elsewhere.
 *
 * WHAT  One tag, under its own name: no branch, and never over another tag. Where the repository here has a tag of this
 *       name at this commit it is that one, else it is made for the push: the same each time that the same is asked.
 *
 * HOW   push() blocks, TAG_PUSH_MS at most for each of a few git commands: it is called in another thread, once at a time.
 *       Again changes nothing there.
 * OWNS  Texts are the caller's. The sentence names no token.
 * ERRORS CONFLICT a tag of this name stands at another commit there: it stays · INVALID the name is none, or git
 *        or the other end refuses it, in their words · DENIED the token's file is open to others · TIMEOUT · CLOSED davit
 *        is being stopped, ask again.
 */
#ifndef PROVIDER_TAG_PUSH_H
#define PROVIDER_TAG_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { TAG_PUSH_MS = 2 * 60 * 1000 };

struct tag_push {
	const char *git;        /* the address of the repository elsewhere */
	const char *token_file; /* NULL: none */
	const char *repository; /* the absolute path of a git directory that has the commit */
	const char *commit;     /* its full id */
	const char *name;       /* "v1.4.2": a stranger's */
	const char *message;
	uint64_t at_unix_s;
	bool existed; /* set by push(): it was there, at this commit */
};

struct tag_pusher;

struct tag_pusher_ops {
	int (*push)(struct tag_pusher *pusher, struct tag_push *push, struct error *err) MUST_CHECK;
};

struct tag_pusher {
	const struct tag_pusher_ops *ops;
};

#endif
