/* SPDX-License-Identifier: Apache-2.0
 *
 * completion - the scripts by which a shell completes davit's verbs, options and arguments.
 *
 * WHAT  Made from the table of commands, so that no verb and no option is missing. Names of environments and
 *       versions are asked of the server when Tab is pressed ("davit completion environments").
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "base/buf.h"

enum { COMPLETION_MAX = 256 * 1024 };

/* `shell` is "bash", "zsh" or "fish"; false: another one. */
bool completion_script(const char *shell, struct buf *to);

#endif
