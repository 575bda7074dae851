/* Preloaded into the service: syncs of files whose name ends as the file $FAILING_FSYNC says fail, from when it is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
    const char *trigger = getenv("FAILING_FSYNC");
    char ending[64], link[64], path[PATH_MAX];
    int file = trigger ? open(trigger, O_RDONLY) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, ending, sizeof ending);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path);
    return length > 0 && size >= length && memcmp(path + size - length, ending, length) == 0;
}

static int sync_or_fail(const char *name, int fd) {
    if (fails(fd)) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return sync_or_fail("fsync", fd); }
int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }
