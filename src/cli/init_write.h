/* SPDX-License-Identifier: Apache-2.0
 *
 * init_write - what a survey becomes as the text of a davit.yaml, with comments for whoever reads it first.
 *
 * WHAT  A pure function of the survey. Its text is a valid davit.yaml unless the command or a path of the survey cannot
 *       be one: init.c asks the reader of the configuration.
 * HOW   `gated`: prod takes only what was good in staging and somebody approved; else these two keys are comments, so
 *       that the first release can be brought to prod by hand.
 */
#ifndef CLI_INIT_WRITE_H
#define CLI_INIT_WRITE_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/survey.h"

void init_write(const struct survey *survey, bool gated, struct buf *to);

#endif
