/* SPDX-License-Identifier: Apache-2.0
 *
 * backup_verb - davit backup FILE: the store and what belongs to it, in one archive, beside a running server or without.
 *
 * HOW    The server hands out a copy of its store (POST /v1/backup); without a server the store is opened here, under the
 *        state's lock. All else is read from the state directory: artifacts never change, and ticks and drafts are
 *        copied first. FILE gets its name when it is whole and on disk: a crash leaves nothing, or all of it.
 */
#ifndef DAEMON_BACKUP_VERB_H
#define DAEMON_BACKUP_VERB_H

/* argv[0] is the verb. */
int backup_verb(int argc, char **argv);

#endif
