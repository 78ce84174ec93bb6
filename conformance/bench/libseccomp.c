/* Compiles a profile as runtimes in C and Go do, by libseccomp alone: one filter for all architectures, rules in the
 * profile's order, names resolved one by one. The profile comes on standard input in words: default action, number of
 * architectures, their tokens, and for each rule name, action, number of conditions, and index, operator and two
 * values of each. Prints the microseconds from the first call to the program in a file. Built without libseccomp's
 * header, which few machines have: the functions are declared below. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

struct comparison { unsigned index; int op; uint64_t value, second; };
struct rule { char name[64]; uint32_t action; unsigned count; struct comparison conditions[6]; };

void *seccomp_init(uint32_t);
int seccomp_arch_add(void *, uint32_t);
int seccomp_syscall_resolve_name(const char *);
int seccomp_rule_add_array(void *, uint32_t, int, unsigned, const struct comparison *);
int seccomp_export_bpf(void *, int);

static int64_t microseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(void) {
  static struct rule rules[4096];
  uint32_t action, architectures[32];
  unsigned count, length = 0;
  if (scanf("%" SCNu32 " %u", &action, &count) != 2 || count > 32) return 2;
  for (unsigned i = 0; i < count; i++)
    if (scanf("%" SCNu32, &architectures[i]) != 1) return 2;
  for (struct rule *r; length < 4096; length++) {
    r = &rules[length];
    if (scanf("%63s %" SCNu32 " %u", r->name, &r->action, &r->count) != 3) break;
    if (r->count > 6) return 2;
    for (unsigned i = 0; i < r->count; i++) {
      struct comparison *c = &r->conditions[i];
      if (scanf("%u %d %" SCNu64 " %" SCNu64, &c->index, &c->op, &c->value, &c->second) != 4) return 2;
    }
  }
  int64_t began = microseconds();
  void *filter = seccomp_init(action);
  for (unsigned i = 0; i < count; i++) seccomp_arch_add(filter, architectures[i]);
  for (unsigned i = 0; i < length; i++) {
    int number = seccomp_syscall_resolve_name(rules[i].name);
    if (number != -1) seccomp_rule_add_array(filter, rules[i].action, number, rules[i].count, rules[i].conditions);
  }
  if (seccomp_export_bpf(filter, memfd_create("seccomp", 0)) != 0) return 1;
  printf("%" PRId64 "\n", microseconds() - began);
  return 0;
}
