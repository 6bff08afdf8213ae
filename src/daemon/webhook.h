/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook - is this request of a git host what it says that it is?
 *
 * WHAT  The host signs the body as it came with a secret that it shares with us; nothing of a body is read before that
 *       holds. Then it must be about the repository that is looked at. What is in it decides nothing else: a request
 *       that is good makes davit look at the repository, and what is there is built.
 *         github  X-Hub-Signature-256: sha256=HEX, HMAC-SHA256 of the body     X-GitHub-Event
 *         gitea   X-Gitea-Signature: HEX, the same; so sign Forgejo and Gogs   X-Gitea-Event
 *         gitlab  X-Gitlab-Token: the secret itself                            X-Gitlab-Event
 *
 * HOW   PURE. webhook_check() for each of the secrets that hold; then webhook_read().
 * ERRORS DENIED no signature, or not of this secret · INVALID the body cannot be read · CONFLICT it is about another
 *        repository · UNSUPPORTED it is no JSON.
 */
#ifndef DAEMON_WEBHOOK_H
#define DAEMON_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/server.h"

enum { WEBHOOK_SECRET_MIN = 16, WEBHOOK_SECRET_MAX = 1024, WEBHOOK_TEXT_SIZE = 256 };

struct webhook {
	enum server_host from;
	const char *(*header)(const void *context, const char *name); /* NULL: there is none */
	const void *context;
	const struct buf *body;
};

/* What is asked for: to look, or nothing, as by the first request of a host that only tries. */
struct webhook_event {
	bool look;
	char ref[WEBHOOK_TEXT_SIZE]; /* for people: escaped; "" where none is named */
};

MUST_CHECK int webhook_check(const struct webhook *hook, const struct buf *secret,
			     struct error *err);

/* `git` is the repository's address, of which the path counts. */
MUST_CHECK int webhook_read(const struct webhook *hook, const char *git,
			    struct webhook_event *ret_event, struct error *err);

/* "acme/shop" of https://git.example.com/acme/shop.git, with all that stands before it in the path. */
const char *webhook_path_of(const char *git, char *to, size_t size);

#endif
