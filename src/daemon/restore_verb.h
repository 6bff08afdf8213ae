/* SPDX-License-Identifier: Apache-2.0
 *
 * restore_verb - davit restore FILE: the state of a backup, with the server stopped.
 *
 * HOW    The archive is unpacked beneath the state and all of it is checked, the audit chain too, before anything is
 *        changed; then daemon/restoring.h changes it at once. Files of releases go into the artifact store first: they
 *        are named by their content, so that more of them harm nobody.
 */
#ifndef DAEMON_RESTORE_VERB_H
#define DAEMON_RESTORE_VERB_H

/* argv[0] is the verb. */
int restore_verb(int argc, char **argv);

#endif
