/* SPDX-License-Identifier: Apache-2.0
 *
 * build_view - a build of the server as it is shown to people: lines for its state, its stages, and where it went.
 */
#ifndef CLI_BUILD_VIEW_H
#define CLI_BUILD_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

void build_put_state(const struct cli *cli, struct buf *to, const char *state);
/* A line of one stage; `width` is build_width(). */
void build_put_stage(const struct cli *cli, struct buf *to, const json_t *stage, unsigned width);
/* A line for each environment that its release goes to, or does not. */
void build_put_rollouts(const struct cli *cli, struct buf *to, const json_t *build);

/* To standard output, at once; the buffer is done with. */
void build_print(struct buf *page);

/* Of the longest name of a stage. */
unsigned build_width(const json_t *build);

#endif
