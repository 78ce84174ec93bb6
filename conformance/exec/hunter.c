// The container's process in attack.test.ts: looks into every process that appears, as fast as it can, for a way to
// the host, and writes what it found to /tmp/found, one line each kind of finding. Arguments: the path of a file on
// the host, the path of the container's only program.
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
static long seen, met, host_root, host_cwd, host_fd, exe_read, exe_written, mem, traced, stolen, arguments;
static const char *canary;

static void end(int signal) { stop = signal; }

static int ours(const char *pid) {
  char path[64], target[256];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  ssize_t n = readlink(path, target, sizeof target - 1);
  if (n < 0) return errno == EACCES || errno == EPERM ? 0 : -1;
  target[n] = 0;
  return strcmp(target, "/bin/busybox") == 0 || strcmp(target, "/bin/hunter") == 0;
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

static void look(const char *pid) {
  char path[128], text[4096];
  met++;
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
  snprintf(path, sizeof path, "/proc/%s/mem", pid);
  fd = open(path, O_RDWR);
  if (fd >= 0) {
    if (ours(pid) == 0) mem++;
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
  if (ptrace(PTRACE_SEIZE, number, 0, 0) == 0) {
    if (ours(pid) == 0) traced++;
    if (ptrace(PTRACE_INTERRUPT, number, 0, 0) == 0 && waitpid(number, NULL, __WALL) == number)
      ptrace(PTRACE_DETACH, number, 0, 0);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  canary = argv[1];
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
          "{\"seen\":%ld,\"met\":%ld,\"hostRoot\":%ld,\"hostCwd\":%ld,\"hostFd\":%ld,\"exeRead\":%ld,"
          "\"exeWritten\":%ld,\"mem\":%ld,\"traced\":%ld,\"stolen\":%ld,\"arguments\":%ld}",
          seen, met, host_root, host_cwd, host_fd, exe_read, exe_written, mem, traced, stolen, arguments);
  fclose(out);
  return 0;
}
