/* A preloaded library that stands between the server and the disk of its files.

   It records every write, truncation, sync and removal of the database files, in order and with the bytes, so that a checker
   can build the image that a power cut at any instant could have left. And it can make the disk misbehave while the server
   runs: full, broken, or slow to sync.

   DISK_LOG      file to append records to (nothing is recorded without it)
   DISK_CONTROL  file of 16 bytes, mapped: int32 mode, int32 number
                   mode 0 = a healthy disk
                        1 = every write: no space left
                        2 = every write: input/output error
                        3 = every sync: input/output error
                        4 = every sync takes `number` milliseconds more
                        5 = no space left after `number` more writes (counts down)
   DISK_MATCH    part of the path of the files in question (default ".db")

   Record: u8 op (W T S U), u8 name length, u16 0, u32 data length, u64 offset, name, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct control { volatile int32_t mode, number; int32_t pad[2]; };
struct record { uint8_t op, name; uint16_t zero; uint32_t size; uint64_t offset; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct control healthy, *control = &healthy;
static int log_fd = -1;
static const char *match = ".db";

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off64_t), (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    if (getenv("DISK_MATCH")) match = getenv("DISK_MATCH");
    const char *log = getenv("DISK_LOG"), *ctl = getenv("DISK_CONTROL");
    if (log) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (ctl) {
        int fd = open(ctl, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0 && real_ftruncate(fd, sizeof healthy) == 0) {
            void *at = mmap(NULL, sizeof healthy, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (at != MAP_FAILED) control = at;
        }
        if (fd >= 0) close(fd);
    }
}

/* The base name of a database file behind a descriptor, or 0 for any other file. Shared memory files are not data. */
static const char *name_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, size - 1);
    if (n <= 0) return NULL;
    path[n] = 0;
    if (!strstr(path, match) || strstr(path, "-shm")) return NULL;
    char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void note(char op, const char *name, uint64_t offset, const void *data, size_t size) {
    if (log_fd < 0) return;
    struct record head = {(uint8_t)op, (uint8_t)strlen(name), 0, (uint32_t)size, offset};
    size_t total = sizeof head + head.name + size;
    char *all = malloc(total);
    memcpy(all, &head, sizeof head);
    memcpy(all + sizeof head, name, head.name);
    if (size) memcpy(all + sizeof head + head.name, data, size);
    for (size_t done = 0; done < total;) {
        ssize_t n = real_write(log_fd, all + done, total - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    free(all);
}

static int refuses_write(void) {
    if (control->mode == 1) return ENOSPC;
    if (control->mode == 2) return EIO;
    if (control->mode == 5 && __sync_fetch_and_sub(&control->number, 1) <= 0) return ENOSPC;
    return 0;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    char path[1024];
    const char *name = name_of(fd, path, sizeof path);
    if (!name) return real_pwrite(fd, data, size, offset);
    int error = refuses_write();
    if (error) { errno = error; return -1; }
    pthread_mutex_lock(&lock);
    ssize_t done = real_pwrite(fd, data, size, offset);
    int kept = errno;
    if (done > 0) note('W', name, (uint64_t)offset, data, (size_t)done);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }

/* Where it was written is known afterwards only, in a file that is appended to. */
ssize_t write(int fd, const void *data, size_t size) {
    char path[1024];
    const char *name = name_of(fd, path, sizeof path);
    if (!name) return real_write(fd, data, size);
    int error = refuses_write();
    if (error) { errno = error; return -1; }
    pthread_mutex_lock(&lock);
    ssize_t done = real_write(fd, data, size);
    int kept = errno;
    if (done > 0) note('W', name, (uint64_t)(lseek64(fd, 0, SEEK_CUR) - done), data, (size_t)done);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

static int sync_file(int fd, int (*real)(int)) {
    char path[1024];
    const char *name = name_of(fd, path, sizeof path);
    if (!name) return real(fd);
    if (control->mode == 3) { errno = EIO; return -1; }
    if (control->mode == 4) {
        struct timespec wait = {control->number / 1000, (control->number % 1000) * 1000000L};
        nanosleep(&wait, NULL);
    }
    pthread_mutex_lock(&lock);
    int done = real(fd);
    int kept = errno;
    if (done == 0) note('S', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
int fsync(int fd) { return sync_file(fd, real_fsync); }
int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

int ftruncate64(int fd, off64_t size) {
    char path[1024];
    const char *name = name_of(fd, path, sizeof path);
    if (!name) return real_ftruncate(fd, size);
    pthread_mutex_lock(&lock);
    int done = real_ftruncate(fd, size);
    int kept = errno;
    if (done == 0) note('T', name, (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!strstr(path, match) || strstr(path, "-shm")) return real_unlink(path);
    pthread_mutex_lock(&lock);
    int done = real_unlink(path);
    int kept = errno;
    if (done == 0) note('U', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
