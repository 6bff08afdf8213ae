/* SPDX-License-Identifier: Apache-2.0
 *
 * config_file - a davit.yaml on this machine: read, checked, and what is wrong with it told at once.
 *
 * OWNS  config_file_load()'s `ret_app`: config_free().
 */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "base/buf.h"
#include "cli/command.h"
#include "config/config.h"

enum { CONFIG_FILE_MAX = 256 * 1024 };

/* Append the file to `to`, which was made with CONFIG_FILE_MAX. */
MUST_CHECK int config_file_read(const char *path, struct buf *to, struct error *err);

/* Both: read it, check it, and tell whatever is wrong. Returns an exit code. */
MUST_CHECK int config_file_open(const struct cli *cli, const char *file, struct app **ret_app);

/* Check a text; every error is printed, as cli_fail() does. Returns an exit code. */
MUST_CHECK int config_file_load(const struct cli *cli, const struct buf *text, const char *file,
				struct app **ret_app);

#endif
