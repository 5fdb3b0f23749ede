/* A directory of plain files that plays a cgroup; made below TMPDIR and removed by the test. */
#ifndef TESTS_UNIT_CGROUPS_FAKE_H
#define TESTS_UNIT_CGROUPS_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

struct fake {
	char path[64];
	int fd;
};

static inline void fake_make(struct fake *fake)
{
	*fake = (struct fake){ .path = "/tmp/cella-cgroup-XXXXXX" };
	assert_non_null(mkdtemp(fake->path));
	fake->fd = open(fake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fake->fd >= 0);
}

static inline void fake_remove(struct fake *fake)
{
	close(fake->fd);
	err_drop(path_remove_tree(AT_FDCWD, fake->path));
}

static inline void fake_put(const struct fake *fake, const char *name, const char *text)
{
	OWN(fd) int fd = openat(fake->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void fake_dir(const struct fake *fake, const char *name)
{
	assert_int_equal(mkdirat(fake->fd, name, 0755), 0);
}

/* What the file holds now; a kernel file would be written as a whole, a plain one keeps its tail.
 */
static inline void fake_expect(const struct fake *fake, const char *name, const char *text)
{
	OWN(buf) struct buf got = { 0 };

	assert_null(file_read(fake->fd, name, 65536, &got));
	assert_string_equal(got.data, text);
}

static inline void expect_err(struct err *err, enum err_kind kind, const char *part)
{
	assert_non_null(err);
	if (err_kind(err) != kind || !strstr(err_text(err), part))
		fail_msg("'%s' of kind %d instead of '%s'", err_text(err), err_kind(err), part);
	err_drop(err);
}

#endif
