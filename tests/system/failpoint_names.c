/* SPDX-License-Identifier: Apache-2.0
 *
 * failpoint_names - prints the name of every failpoint, one a line, for 04_failpoints.bats to walk.
 */
#include <stdio.h>

#include "base/failpoint.h"

int main(void)
{
	for (size_t i = 0; failpoint_names[i]; i++)
		puts(failpoint_names[i]);
	return 0;
}
