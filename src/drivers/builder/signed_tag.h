/* SPDX-License-Identifier: Apache-2.0
 *
 * signed_tag - is a tag one that somebody signed who may?
 *
 * WHAT  A tag object whose ssh signature `git verify-tag` takes for one of the allowed signers', that stands at the
 *       commit which is built, and that calls itself as the ref is called: git leaves that to whoever asks. The key has
 *       to be allowed when the tag says it was made, and now: what it says is the signer's.
 *
 * HOW   Blocks; may run in any thread.
 * ERRORS DENIED it is not, with a sentence · UNSUPPORTED git or ssh-keygen is not installed · CLOSED cancelled · TIMEOUT.
 */
#ifndef DRIVERS_BUILDER_SIGNED_TAG_H
#define DRIVERS_BUILDER_SIGNED_TAG_H

#include <stdatomic.h>

#include "base/err.h"

struct signed_tag {
	const char *repository; /* that has the tag: the absolute path of a git directory */
	const char *name;       /* as checkout_is_name() wants it */
	const char *commit;     /* that is built: a full id */
	const char *
		signers; /* a file as ssh-keygen(1) has it under ALLOWED SIGNERS; "": there is none */
	const char *scratch; /* of checkout_at() at this commit */
	const atomic_bool *cancelled;
};

MUST_CHECK int signed_tag_check(const struct signed_tag *tag, struct error *err);

#endif
