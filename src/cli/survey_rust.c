/* SPDX-License-Identifier: Apache-2.0
 * survey_rust - crates of Rust. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

static void add_checks(int dir_fd, struct survey *s)
{
	static const char *const wanted[] = {"clippy.toml", ".clippy.toml", NULL};
	const char *file = survey_first(dir_fd, wanted);
	if (file) {
		struct survey_stage *lint = survey_add(s, "lint", "cargo clippy --release");
		if (!survey_stage_finds("cargo-clippy"))
			survey_doubt(lint,
				     "cargo-clippy is not installed below /usr, and %s asks "
				     "for it",
				     file);
	}
	survey_add(s, "unit", "cargo test --release");
}

/* Without a lock file compile makes one, and the stages after it have to build the same. */
static void fetch(int dir_fd, struct survey_pipeline *p)
{
	bool locked = survey_has(dir_fd, "Cargo.lock");
	text_copy(p->outputs, sizeof p->outputs,
		  locked ? "target/, .cargo-home/" : "target/, .cargo-home/, Cargo.lock");
	text_copy(p->cache_key, sizeof p->cache_key, locked ? "Cargo.lock" : "Cargo.toml");
	p->cache_paths = ".cargo-home/";
	p->variable = "CARGO_HOME: /work/.cargo-home";
	p->network = true;
}

bool survey_rust(int dir_fd, struct survey *s)
{
	struct survey_pipeline *p = &s->pipeline;
	struct buf text;
	char name[100];
	bool found = survey_read(dir_fd, "Cargo.toml", &text);
	if (found) {
		bool named = survey_word(buf_text(&text), "\nname", name, sizeof name);
		snprintf(s->run, sizeof s->run, "./target/release/%s", named ? name : s->app);
		s->kind = "rust";
		s->seen = "Cargo.toml";
		text_copy(s->build, sizeof s->build, "cargo build --release");
		text_copy(p->compile, sizeof p->compile, "cargo build --release");
		if (strstr(buf_text(&text), "dependencies"))
			fetch(dir_fd, p);
		else
			text_copy(p->outputs, sizeof p->outputs, "target/");
		survey_archive(s, s->run + 2);
		add_checks(dir_fd, s);
		survey_requires(s, "cargo",
				"apt-get install cargo, or Rust's standalone installer, which goes "
				"to /usr/local (rustup's is in a home directory)");
	}
	buf_done(&text);
	return found;
}
