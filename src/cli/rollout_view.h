/* SPDX-License-Identifier: Apache-2.0
 *
 * rollout_view - the picture of a rollout that `davit watch` draws: a line a share with what was measured at
 *                it, the instances, and what a person may do.
 */
#ifndef CLI_ROLLOUT_VIEW_H
#define CLI_ROLLOUT_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

/* Append the picture of a davit.v1/rollout. */
void rollout_draw(const struct cli *cli, const json_t *rollout, struct buf *to);

/* What it changes of the infrastructure, and what its plan said last, line by line; nothing where there is no plan. */
void rollout_draw_infrastructure(const struct cli *cli, const json_t *rollout, struct buf *to);

#endif
