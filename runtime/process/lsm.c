/*
 * Labels for the next execve(2): apparmor(7) and SELinux take them through /proc/thread-self/attr.
 * A wrong procfs there would swallow the label (CVE-2019-16884), so it goes through procfs_write().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

static bool has_apparmor(void)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text);

	err_drop(err); /* no such file: no such module */
	return !err && text.len > 0 && text.data[0] == 'Y';
}

bool lsm_has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

struct err *process_set_apparmor(const char *profile)
{
	OWN(str) char *command = NULL;
	struct err *err;

	if (!*profile)
		return NULL;
	if (!has_apparmor())
		return err_new(ERR_UNSUPPORTED,
			       "AppArmor profile %.128s: AppArmor is not enabled in this kernel",
			       profile);
	TRY(str_format(&command, "exec %s", profile));
	err = procfs_write("thread-self/attr/apparmor/exec", command);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* kernels before 5.8 have only the shared file */
		err = procfs_write("thread-self/attr/exec", command);
	}
	if (err && err_errno(err) == ENOENT)
		return err_wrap(err, "AppArmor profile %.128s is not loaded", profile);
	return err_wrap(err, "AppArmor profile %.128s", profile);
}

struct err *process_set_selinux(const char *label)
{
	if (!*label)
		return NULL;
	if (!lsm_has_selinux())
		return err_new(ERR_UNSUPPORTED,
			       "SELinux label %.128s: SELinux is not enabled in this kernel",
			       label);
	return err_wrap(procfs_write("thread-self/attr/exec", label), "SELinux label %.128s",
			label);
}
