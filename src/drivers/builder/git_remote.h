/* SPDX-License-Identifier: Apache-2.0
 *
 * git_remote - a git command that speaks to a repository elsewhere: by whose credentials, by which way out, and how
 *              long the other end may be silent.
 *
 * WHAT  https, http, ssh, git and file. The token of a file goes to this host alone, in git's own configuration by the
 *       environment: not in a word that others see. Over ssh the keys of the user that runs davit count, and nobody is
 *       asked. Proxies and certificates are the process's own.
 *
 * HOW   git_remote_run() is git_run() with these; the ask has no variables and protocols of its own. Names of strangers
 *       stand behind "--" among the words. Blocks, in any thread.
 * ERRORS As git_run(); DENIED the token's file is open to others.
 * LIMITS GIT_REMOTE_WORDS_MAX words.
 */
#ifndef DRIVERS_BUILDER_GIT_REMOTE_H
#define DRIVERS_BUILDER_GIT_REMOTE_H

#include "drivers/builder/git.h"

enum { GIT_REMOTE_TOKEN_MAX = 4096, GIT_REMOTE_WORDS_MAX = 24 };

struct git_remote {
	const char *git;        /* the address, without a password */
	const char *token_file; /* NULL: none */
};

int git_remote_run(const struct git_remote *remote, const struct git_ask *ask,
		   const char *const *words, struct buf *out, struct error *err) MUST_CHECK;

#endif
