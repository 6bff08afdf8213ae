/* SPDX-License-Identifier: Apache-2.0
 *
 * approval - the text that a person signs with an ssh key to answer for a rollout.
 *
 * WHAT  Both sides make it from what they know, so that a signature says exactly: this verdict, on this rollout of this
 *       environment, for this hash of bytes, configuration and plan, for this reason. It is signed in the namespace
 *       "davit" (ssh-keygen -Y sign -n davit).
 */
#ifndef CONFIG_APPROVAL_H
#define CONFIG_APPROVAL_H

#include <stdint.h>

#include "base/buf.h"

#define APPROVAL_NAMESPACE "davit"
enum { APPROVAL_TEXT_MAX = 4096, APPROVAL_SIGNATURE_MAX = 16384 };

struct approval {
	const char *environment; /* "shop/prod" */
	uint32_t rollout;
	const char *hash;
	const char *verdict; /* "approve", "reject", "emergency" */
	const char *reason;  /* printable; may be empty */
};

/* Append (after buf_init(to, APPROVAL_TEXT_MAX)). */
void approval_text(const struct approval *approval, struct buf *to);

#endif
