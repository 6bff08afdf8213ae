/* SPDX-License-Identifier: Apache-2.0
 *
 * ask - one request to the server, from finding its socket to printing why it failed.
 *
 * HOW   What most verbs are: code = ask_get(cli, path, &answer); if (code != CLI_OK) return code; print it.
 * OWNS  `ret_answer` is the caller's, to be released with json_decref().
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <jansson.h>

#include "cli/command.h"

/* Returns an exit code; every one but CLI_OK has been explained to the person already. */
MUST_CHECK int ask_get(const struct cli *cli, const char *path, json_t **ret_answer);

/* `body` is released. */
MUST_CHECK int ask_post(const struct cli *cli, const char *path, json_t *body, json_t **ret_answer);

/* --limit is a number from 1 to `most`, or was not given; else that is told. */
MUST_CHECK int ask_limit(const struct cli *cli, uint64_t most);

/* One line of JSON on standard output; the value is released. */
void ask_print(json_t *value);

#endif
