/* SPDX-License-Identifier: Apache-2.0
 *
 * way_back_view - the four steps of a way back: identify, switch, validate, post-mortem, each with its time. Nothing where
 *                 a rollout does not go back.
 */
#ifndef CLI_WAY_BACK_VIEW_H
#define CLI_WAY_BACK_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

/* Append a line a step of a davit.v1/rollout. */
void way_back_draw(const struct cli *cli, const json_t *rollout, struct buf *to);

#endif
