/* SPDX-License-Identifier: Apache-2.0
 *
 * commands - the halves of the table of verbs, and the options that both have.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

/* clang-format off */
#define REASON {"reason", 'm', "TEXT", "why, for the audit log"}
#define WORKERS {"workers", 0, "N", "gateway workers (default: one a core)"}
#define ACCESS_LOG {"access-log", 0, "FILE", "append a line per request to this file"}
#define VERBOSE {"verbose", 'v', NULL, "debug records as well"}
/* clang-format on */

extern const struct cli_command commands_kept[]; /* ended by name NULL */

#endif
