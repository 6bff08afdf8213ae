/* SPDX-License-Identifier: Apache-2.0
 *
 * stage_path - where the programs of a pipeline's stage are looked for.
 *
 * WHAT  PATH in a stage's sandbox (drivers/builder/local.c), which sees /usr and nothing of /opt or of anybody's home.
 *       `davit init` asks the same list, to say beforehand which program a stage would not find. /usr/local/go is
 *       where Go's own archive is unpacked to; in /run/davit/bin is the davit that runs the stage.
 */
#ifndef OS_STAGE_PATH_H
#define OS_STAGE_PATH_H

#define STAGE_PATH                                                                             \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin:/run/" \
	"davit/bin"

#endif
