/* SPDX-License-Identifier: Apache-2.0
 *
 * man - the manual pages (mdoc) and the reference pages (Markdown), written from the tables of the program.
 *
 * HOW   tools/gendocs writes them into man/ and docs/reference/; a test compares what is committed with what
 *       the tables say now.
 */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "base/buf.h"
#include "cli/command.h"

enum { MAN_PAGE_MAX = 1 << 20 };

void man_davit(struct buf *to);                                      /* davit.1 */
void man_command(const struct cli_command *command, struct buf *to); /* davit-VERB.1 */
void man_config(struct buf *to);                                     /* davit.yaml.5 */
void reference_cli(struct buf *to);                                  /* docs/reference/cli.md */
void reference_exits(struct buf *to); /* docs/reference/exit-codes.md */

/* Append text to a page: every sentence on a line of its own, lines filled, nothing taken for a macro. In
 * `backquotes` is bold. */
void man_put_text(struct buf *to, const char *text);

#endif
