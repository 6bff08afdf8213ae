/* SPDX-License-Identifier: Apache-2.0
 * fuzz_ticks - any bytes as a log of ticks.
 *
 * What is refused has a sentence, and leaves the judge as it was. What is taken is written again and fed to a second
 * judge, which is then the same, to the last bit; and whatever was fed, the evidence is a number. */
#include <math.h>
#include <string.h>

#include "fuzz.h"

#include "control/tick_text.h"

enum { LINE_MAX_BYTES = 256 << 10, LINES_MOST = 16 };

static struct judge judge, before, second_judge;
static struct tick_text_reader first, second;

static void expect_sentence(const struct error *err)
{
	EXPECT(err->code == ERR_INVALID && strlen(err->text) > 20);
	EXPECT(err->text[strlen(err->text) - 1] == '.');
	for (const char *p = err->text; *p; p++)
		EXPECT((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void expect_numbers(void)
{
	struct judge_result result;
	EXPECT(judge_odds(&judge) >= 0 && isfinite(judge_odds(&judge)));
	EXPECT(judge_fine(&judge) >= 0 && isfinite(judge_fine(&judge)));
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		const struct judge_proportion *p = &judge.metrics[m];
		if (!judge_metric_is_on(&judge, m))
			continue;
		EXPECT(isfinite(judge_proportion_worse(p)) && isfinite(judge_proportion_fine(p)));
		EXPECT(judge_dispersion_phi(&p->dispersion) >= 1);
	}
	judge_decide(&judge, &result);
	EXPECT(result.verdict < JUDGE_VERDICT_COUNT && result.sentence[0] != '\0');
}

static void write_again(struct buf *to)
{
	struct tick_text_head head = {.rollout = first.rollout,
				      .new_tag = first.new_tag,
				      .live_tag = first.live_tag,
				      .class_count = first.class_count};
	for (uint32_t i = 0; i < first.class_count; i++)
		head.classes[i] = first.classes[i];
	switch (first.line) {
	case TICK_TEXT_HEAD: tick_text_begin(to, &head, &judge.settings); break;
	case TICK_TEXT_TICK: tick_text_tick(to, &first.tick); break;
	case TICK_TEXT_STEP: tick_text_mark(to, first.line, first.step); break;
	case TICK_TEXT_WARM: tick_text_mark(to, first.line, 0); break;
	case TICK_TEXT_REPLACE: tick_text_mark(to, first.line, first.place); break;
	}
}

static void feed(const char *line, size_t size)
{
	struct error err = {0};
	struct buf again;
	before = judge;
	if (tick_text_feed(&first, line, size, &err) < 0) {
		expect_sentence(&err);
		EXPECT(memcmp(&judge, &before, sizeof judge) == 0);
		return;
	}
	buf_init(&again, LINE_MAX_BYTES);
	write_again(&again);
	EXPECT(!again.overflowed);
	EXPECT(tick_text_feed(&second, again.data, again.size, &err) == 0);
	EXPECT(memcmp(&judge, &second_judge, sizeof judge) == 0);
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end = line + size;
	memset(&first, 0, sizeof first);
	memset(&second, 0, sizeof second);
	first.judge = &judge;
	second.judge = &second_judge;
	for (uint32_t lines = 0; line < end && lines < LINES_MOST; lines++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop ? stop : end;
		feed(line, (size_t)(stop - line));
		line = stop < end ? stop + 1 : end;
	}
	if (first.begun)
		expect_numbers();
	return 0;
}
