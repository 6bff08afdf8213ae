/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_view - what the statistics say of a rollout, for `davit why`: sentences with exact counts, then a table,
 *              what says most against the release first. Nothing where it is not judged by them.
 */
#ifndef CLI_JUDGE_VIEW_H
#define CLI_JUDGE_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

void judge_draw(const struct cli *cli, const json_t *rollout, struct buf *to);

#endif
