/* A tree of cgroups is read into steps and made again by them, in fake cgroups. */
#include "base/log.h"
#include "cgroups/cgroups.h"
#include "tests/unit/cgroups_fake.h"

static struct fake fake, other;

static int setup(void **state)
{
	(void)state;
	fake_make(&fake);
	fake_make(&other);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(&fake);
	fake_remove(&other);
	return 0;
}

static struct cgroup cgroup_of(const struct fake *dir)
{
	return (struct cgroup){ .dir_fd = dir->fd, .path = (char *)(uintptr_t)dir->path };
}

/* What the kernel puts into each cgroup. */
static void make_group(const struct fake *dir, const char *name, const char *pids_max)
{
	char file[128];
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "cgroup.events", "populated 0\n" },
		{ "cgroup.freeze", "0\n" },
		{ "cgroup.type", "domain\n" },
		{ "cgroup.procs", "1\n" },
		{ "cgroup.subtree_control", "cpu pids\n" },
		{ "cpu.max.burst", "0\n" },
		{ "memory.pressure", "some avg10=0.00\n" },
		{ "cpu.max", "max 100000\n" },
		{ "cpuset.cpus", "\n" },
	};

	fake_dir(dir, name);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(file, sizeof(file), "%s/%s", name, files[i].name);
		fake_put(dir, file, files[i].text);
	}
	snprintf(file, sizeof(file), "%s/pids.max", name);
	fake_put(dir, file, pids_max);
	snprintf(file, sizeof(file), "%s/cgroup.events", name);
	assert_int_equal(fchmodat(dir->fd, file, 0444, 0), 0);
}

static const struct cgroup_step *find(const struct cgroup_steps *steps, enum cgroup_step_kind kind,
				      const char *path, const char *file)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct cgroup_step *step = &steps->items[i];

		if (step->kind == kind && str_eq(step->path, path) && str_eq(step->file, file))
			return step;
	}
	return NULL;
}

static void a_tree_becomes_steps(void **state)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	const struct cgroup cg = cgroup_of(&fake);
	const struct cgroup_step *step;
	char owner[32];

	(void)state;
	fake_put(&fake, "cgroup.subtree_control", "memory pids\n");
	fake_put(&fake, "pids.max", "99\n");
	make_group(&fake, "a", "5\n");
	make_group(&fake, "a/b", "6\n");
	assert_null(cgroup_tree_read(&cg, &steps));
	step = find(&steps, CGROUP_STEP_ENABLE, "", "cgroup.subtree_control");
	assert_non_null(step);
	assert_string_equal(step->value, "+memory +pids");
	/* its own limits are the host's affair */
	assert_null(find(&steps, CGROUP_STEP_SET, "", "pids.max"));
	snprintf(owner, sizeof(owner), "%u:%u", getuid(), getgid());
	step = find(&steps, CGROUP_STEP_MAKE, "a/b", "");
	assert_non_null(step);
	assert_string_equal(step->value, owner);
	assert_true(find(&steps, CGROUP_STEP_MAKE, "a", "") < step);
	step = find(&steps, CGROUP_STEP_SET, "a/b", "pids.max");
	assert_non_null(step);
	assert_string_equal(step->value, "6");
	/* a burst without a quota is refused */
	assert_true(find(&steps, CGROUP_STEP_SET, "a", "cpu.max") <
		    find(&steps, CGROUP_STEP_SET, "a", "cpu.max.burst"));
	assert_null(find(&steps, CGROUP_STEP_SET, "a", "cgroup.procs"));
	assert_null(find(&steps, CGROUP_STEP_SET, "a", "memory.pressure"));
	assert_null(find(&steps, CGROUP_STEP_SET, "a", "cgroup.events"));
	assert_null(find(&steps, CGROUP_STEP_SET, "a", "cpuset.cpus"));
	assert_null(find(&steps, CGROUP_STEP_TYPE, "a", "cgroup.type"));
}

static void a_frozen_one_is_refused(void **state)
{
	struct cgroup_steps steps = { 0 };
	const struct cgroup cg = cgroup_of(&fake);

	(void)state;
	fake_put(&fake, "cgroup.subtree_control", "");
	make_group(&fake, "still", "5\n");
	fake_put(&fake, "still/cgroup.freeze", "1\n");
	expect_err(cgroup_tree_read(&cg, &steps), ERR_UNSUPPORTED,
		   "control group still: it is frozen");
}

static void add(struct cgroup_steps *steps, enum cgroup_step_kind kind, const char *path,
		const char *file, const char *value)
{
	assert_null(cgroup_steps_add(steps, kind, path, file, value));
}

static void steps_make_a_tree(void **state)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	const struct cgroup cg = cgroup_of(&other);
	char owner[32];

	(void)state;
	snprintf(owner, sizeof(owner), "%u:%u", getuid(), getgid());
	add(&steps, CGROUP_STEP_MAKE, "a", "", owner);
	add(&steps, CGROUP_STEP_ENABLE, "a", "cgroup.subtree_control", "+pids");
	add(&steps, CGROUP_STEP_SET, "a", "cpu.max", "max 100000");
	add(&steps, CGROUP_STEP_SET, "a", "gone.max", "1");
	add(&steps, CGROUP_STEP_SET, "a", "pids.max", "7");
	add(&steps, CGROUP_STEP_MAKE, "a/b", "", owner);
	assert_null(cgroup_tree_make(&cg, &steps));
	assert_int_equal(faccessat(other.fd, "a/b", F_OK, 0), 0);
	fake_put(&other, "a/cgroup.subtree_control", "");
	fake_put(&other, "a/cpu.max", "max 100000\n");
	fake_put(&other, "a/pids.max", "max\n");
	assert_null(cgroup_tree_enable(&cg, &steps, 1));
	fake_expect(&other, "a/cgroup.subtree_control", "+pids");
	fake_expect(&other, "a/pids.max", "max\n");
	/* a file that this kernel lacks is a warning */
	cgroup_tree_limit(&cg, &steps);
	fake_expect(&other, "a/pids.max", "7ax\n");
	/* what is so already is not written */
	fake_expect(&other, "a/cpu.max", "max 100000\n");
}

static void what_is_there_is_not_taken_over(void **state)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	const struct cgroup cg = cgroup_of(&other);

	(void)state;
	fake_dir(&other, "a");
	add(&steps, CGROUP_STEP_MAKE, "a", "", "0:0");
	expect_err(cgroup_tree_make(&cg, &steps), ERR_SYS, "control group a: make it: File exists");
}

int main(void)
{
	static const struct log_config quiet = { .fd = -1, .level = LOG_LEVEL_ERROR };
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_becomes_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frozen_one_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_make_a_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_there_is_not_taken_over, setup, teardown),
	};

	log_setup(&quiet);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
