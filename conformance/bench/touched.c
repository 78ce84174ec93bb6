/* Linked into a runt whose use of its heap is to be known (heap_order.ts), and into no other: notes which blocks of the
 * image it reads and writes. The image is out of reach; each access is a fault, which notes the address, lets that one
 * instruction through and shuts the page again. x86-64 alone.
 *
 * The notes are a file, mapped shared, so that what is in it stays when the process goes on as another program. Each
 * start has its own, with a slot for that process and for each of a few forks, which may be in a container already. */
#include "engine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { UNIT = 16, BITS = 1 << 18, SLOTS = 6, PAGE = 4096, STEPPING = 8, TRAP_FLAG = 0x100, WRITING = 2 };

struct slot { uint8_t read[BITS / 8], written[BITS / 8]; };
struct notes { struct slot slots[SLOTS]; unsigned taken; };

extern char arena_end[];

static struct notes *whole;
static struct slot *slot;
static char *stepped_on[STEPPING];
static unsigned stepping;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static void protect(int how) {
  __real_syscall(SYS_mprotect, arena_start, arena_end - arena_start, how);
}

static void note(const char *address, bool write) {
  if (slot == NULL || address < arena_start || address >= arena_end) return;
  size_t bit = (size_t)(address - arena_start) / UNIT;
  if (bit < BITS) (write ? slot->written : slot->read)[bit / 8] |= (uint8_t)(1 << bit % 8);
}

/* The handlers may interrupt a system call of the C library's, whose errno is still to be read. */
static void denied(int number, siginfo_t *info, void *state) {
  int error = errno;
  ucontext_t *context = state;
  char *address = info->si_addr;
  if (address < arena_start || address >= arena_end) {
    signal(number, SIG_DFL);
    return;
  }
  note(address, context->uc_mcontext.gregs[REG_ERR] & WRITING);
  char *page = (char *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1));
  /* Through with this one instruction, which may go on in another page. */
  if (stepping < STEPPING) stepped_on[stepping++] = page;
  context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
  __real_syscall(SYS_mprotect, page, (long)PAGE, PROT_READ | PROT_WRITE);
  errno = error;
}

static void stepped(UNUSED int number, UNUSED siginfo_t *info, void *state) {
  int error = errno;
  ucontext_t *context = state;
  context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
  while (stepping > 0) __real_syscall(SYS_mprotect, stepped_on[--stepping], (long)PAGE, PROT_NONE);
  errno = error;
}

static void handle(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
  action.sa_sigaction = denied;
  sigaction(SIGSEGV, &action, NULL);
  action.sa_sigaction = stepped;
  sigaction(SIGTRAP, &action, NULL);
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGSEGV);
  sigaddset(&both, SIGTRAP);
  sigprocmask(SIG_UNBLOCK, &both, NULL);
}

static void open_notes(void) {
  char path[] = NOTES "/0123456789abcdef";
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t time = now.tv_sec * 1000000000LL + now.tv_nsec;
  for (char *at = path + sizeof path - 2; *at != '/'; at--, time >>= 4) *at = "0123456789abcdef"[time & 15];
  long fd = __real_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (__real_syscall(SYS_ftruncate, fd, sizeof *whole) == 0) {
    void *start = mmap(NULL, sizeof *whole, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
    if (start != MAP_FAILED) whole = start;
  }
  __real_syscall(SYS_close, fd);
}

static void take_slot(void) {
  unsigned taken = whole == NULL ? SLOTS : __atomic_fetch_add(&whole->taken, 1, __ATOMIC_RELAXED);
  slot = taken < SLOTS ? &whole->slots[taken] : NULL;
}

/* Before main. */
__attribute__((constructor)) static void begin(void) {
  if (IMAGE->runtime == NULL) return;
  open_notes();
  take_slot();
  handle();
  protect(PROT_NONE);
}

/* The kernel is let in, and its own accesses noted by their first address. */
long __wrap_syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (whole == NULL || freezing) return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_rt_sigaction && (a[0] == SIGSEGV || a[0] == SIGTRAP) && a[1] != 0) return 0;
  protect(PROT_READ | PROT_WRITE);
  for (int i = 0; i < 6; i++) note((const char *)a[i], true);
  long result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  int error = errno;
  bool forked = (number == SYS_clone || number == SYS_clone3 || number == SYS_fork) && result == 0;
  if (forked) take_slot();
  if (forked || number == SYS_rt_sigprocmask) handle();
  protect(PROT_NONE);
  errno = error;
  return result;
}
