/* SPDX-License-Identifier: Apache-2.0
 *
 * tag_push - provider/tag_push.h by the `git` command.
 *
 * HOW   `scratch` (absolute, new, removed afterwards) is a repository that borrows the objects of the one with the
 *       commit: a tag that is made for the push is made there, so that nobody but its owner writes the other one, and
 *       no configuration or hook of that one has a say. What stands at the other end is asked first.
 * OWNS  tag_push_free(), after what runs has ended; tag_push_cancel() ends it.
 */
#ifndef DRIVERS_BUILDER_TAG_PUSH_H
#define DRIVERS_BUILDER_TAG_PUSH_H

#include "provider/tag_push.h"

MUST_CHECK int tag_push_new(const char *scratch, struct tag_pusher **ret_pusher, struct error *err);
void tag_push_cancel(struct tag_pusher *pusher); /* NULL is allowed, here and below */
void tag_push_free(struct tag_pusher *pusher);

#endif
