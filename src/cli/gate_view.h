/* SPDX-License-Identifier: Apache-2.0
 *
 * gate_view - what a person is shown of a rollout that waits for an answer: releases, commits, tests, findings, keys of
 *             the configuration that change, how it did in the environment before, steps, and what was answered.
 */
#ifndef CLI_GATE_VIEW_H
#define CLI_GATE_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

/* Append all of a davit.v1/rollout that has a gate. */
void gate_draw(const struct cli *cli, const json_t *rollout, struct buf *to);

/* Append a line for each commit that had to go before and comes again; nothing where there is none. */
void gate_draw_bad_commits(const struct cli *cli, const json_t *rollout, struct buf *to);

/* Append only what it would bring: commits, tests, findings, configuration, the environment before. */
void gate_draw_brought(const struct cli *cli, const json_t *rollout, struct buf *to);

#endif
