// The container's process in ptracer.test.ts: looks into every process that appears, as fast as it can, for a way to
// the host or to more rights, and writes how often it found which to /tmp/found. Arguments: the path of a file on the
// host. The text that it looks for in their memory is in /etc/wanted, so that it is nowhere in the configuration.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;
static long seen, met, stronger, host_root, host_cwd, host_fd, exe_read, exe_written, mem, searched, secrets, traced, stolen,
    arguments;
static const char *canary;
static char wanted[64];
static unsigned long long own_bounds;

static void end(int signal) { stop = signal; }

static int ours(const char *pid) {
  char path[64], target[256];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  ssize_t n = readlink(path, target, sizeof target - 1);
  if (n < 0) return errno == EACCES || errno == EPERM ? 0 : -1;
  target[n] = 0;
  return strcmp(target, "/bin/busybox") == 0 || strcmp(target, "/bin/ptracer") == 0;
}

// Of what a process may do now or could allow itself; 0 when it has gone.
static unsigned long long capabilities(const char *pid, const char *set) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%s/status", pid);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  char *line = strstr(text, set);
  return line == NULL ? 0 : strtoull(line + strlen(set), NULL, 16);
}

static int reaches(const char *directory) {
  char path[4096];
  snprintf(path, sizeof path, "%s/../../../../../../../../../..%s", directory, canary);
  int fd = open(path, O_RDONLY);
  if (fd < 0) {
    snprintf(path, sizeof path, "%s%s", directory, canary);
    fd = open(path, O_RDONLY);
  }
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// The pages of its writable memory that are there; the program's file and its libraries are no secret.
static void search(const char *pid, int memory) {
  static char page[4096 + sizeof wanted];
  char path[64], line[512];
  size_t length = strlen(wanted);
  long pages = 0, kept = 0;
  snprintf(path, sizeof path, "/proc/%s/pagemap", pid);
  int pagemap = open(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/%s/maps", pid);
  FILE *maps = fopen(path, "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long long start, past, entries[512];
    char mode[5];
    if (sscanf(line, "%llx-%llx %4s", &start, &past, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
    while (start < past) {
      size_t count = (past - start) / 4096 < 512 ? (past - start) / 4096 : 512;
      if (pread(pagemap, entries, count * 8, start / 4096 * 8) != (ssize_t)(count * 8)) break;
      for (size_t i = 0; i < count; i++, start += 4096) {
        // Bit 63: in memory. The end of the page before is kept, for a text that crosses.
        if ((entries[i] >> 63) == 0 || pread(memory, page + kept, 4096, start) != 4096) {
          kept = 0;
          continue;
        }
        pages++;
        if (memmem(page, kept + 4096, wanted, length) != NULL) secrets++;
        memmove(page, page + kept + 4096 - length, length);
        kept = length;
      }
    }
    kept = 0;
  }
  if (maps != NULL) fclose(maps);
  if (pagemap >= 0) close(pagemap);
  // Of the program that it becomes there are not as many.
  if (pages > 256) searched++;
}

static void look(const char *pid) {
  char path[128], text[4096];
  met++;
  if (((capabilities(pid, "CapPrm:") | capabilities(pid, "CapEff:") | capabilities(pid, "CapBnd:")) & ~own_bounds) != 0)
    stronger++;
  snprintf(path, sizeof path, "/proc/%s/root", pid);
  host_root += reaches(path);
  snprintf(path, sizeof path, "/proc/%s/cwd", pid);
  host_cwd += reaches(path);
  for (int fd = 0; fd < 40; fd++) {
    snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, fd);
    host_fd += reaches(path);
  }
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  int fd = open(path, O_RDONLY);
  if (fd >= 0) {
    if (ours(pid) == 0) exe_read++;
    snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
    for (int i = 0; i < 2; i++) {
      int w = open(i ? text : path, O_WRONLY);
      if (w >= 0 && ours(pid) == 0) exe_written++;
      if (w >= 0) close(w);
    }
    close(fd);
  }
  snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
  fd = open(path, O_RDONLY);
  if (fd >= 0) {
    ssize_t n = read(fd, text, sizeof text - 1);
    for (ssize_t i = 0; i + 6 < n; i++) arguments += memcmp(text + i, "--root", 6) == 0;
    close(fd);
  }
  pid_t number = atoi(pid);
  int pidfd = syscall(434, number, 0);
  for (int i = 3; i < 16 && pidfd >= 0; i++) {
    int got = syscall(438, pidfd, i, 0);
    if (got < 0) continue;
    if (ours(pid) == 0) stolen++;
    snprintf(path, sizeof path, "/proc/self/fd/%d", got);
    host_fd += reaches(path);
    close(got);
  }
  if (pidfd >= 0) close(pidfd);
  int stopped = ptrace(PTRACE_SEIZE, number, 0, 0) == 0;
  if (stopped) {
    if (ours(pid) == 0) traced++;
    stopped = ptrace(PTRACE_INTERRUPT, number, 0, 0) == 0 && waitpid(number, NULL, __WALL) == number;
  }
  snprintf(path, sizeof path, "/proc/%s/mem", pid);
  fd = open(path, O_RDWR);
  if (fd >= 0) {
    if (ours(pid) == 0) {
      mem++;
      if (searched < 20) search(pid, fd);
    }
    close(fd);
  }
  if (stopped) ptrace(PTRACE_DETACH, number, 0, 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  canary = argv[1];
  int fd = open("/etc/wanted", O_RDONLY);
  if (fd < 0 || read(fd, wanted, sizeof wanted - 1) < 8) return 2;
  close(fd);
  own_bounds = capabilities("self", "CapBnd:");
  signal(SIGTERM, end);
  while (!stop) {
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
      if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || strcmp(entry->d_name, "1") == 0) continue;
      seen++;
      int known = ours(entry->d_name);
      if (known == 0) look(entry->d_name);
    }
    if (proc != NULL) closedir(proc);
    while (waitpid(-1, NULL, WNOHANG | __WALL) > 0);
  }
  FILE *out = fopen("/tmp/found", "w");
  fprintf(out,
          "{\"seen\":%ld,\"met\":%ld,\"stronger\":%ld,\"hostRoot\":%ld,\"hostCwd\":%ld,\"hostFd\":%ld,\"exeRead\":%ld,"
          "\"exeWritten\":%ld,\"mem\":%ld,\"searched\":%ld,\"secrets\":%ld,\"traced\":%ld,\"stolen\":%ld,\"arguments\":%ld}",
          seen, met, stronger, host_root, host_cwd, host_fd, exe_read, exe_written, mem, searched, secrets, traced, stolen,
          arguments);
  fclose(out);
  return 0;
}
