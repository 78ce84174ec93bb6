/* libseccomp's functions for TypeScript: a filter is a number, and each function returns what the library does, a value
 * or minus errno. */
#include "engine.h"
#include <errno.h>
#include <seccomp.h>
#include <string.h>

/* One for each architecture of a profile is open at a time. */
static scmp_filter_ctx filters[32];

static bool integer(JSContext *context, JSValueConst value, int64_t *out) {
  if (!JS_IsNumber(value)) {
    JS_ThrowTypeError(context, "seccomp: no number");
    return false;
  }
  return JS_ToInt64(context, out, value) == 0;
}

static scmp_filter_ctx *filter_of(JSContext *context, JSValueConst value) {
  int64_t index;
  if (!integer(context, value, &index)) return NULL;
  if (index >= 0 && index < (int64_t)(sizeof filters / sizeof *filters) && filters[index] != NULL) return &filters[index];
  JS_ThrowTypeError(context, "seccomp: no filter");
  return NULL;
}

PRIMITIVE(host_version) {
  const struct scmp_version *version = seccomp_version();
  char text[3 * 10 + 3];
  snprintf(text, sizeof text, "%u.%u.%u", version->major, version->minor, version->micro);
  return JS_NewString(context, text);
}

/* seccompInit(action): a filter. */
PRIMITIVE(host_init) {
  int64_t action;
  int index = 0;
  if (forbidden(context, "seccompInit") || !integer(context, arguments[0], &action)) return JS_EXCEPTION;
  while (filters[index] != NULL)
    if (++index == (int)(sizeof filters / sizeof *filters)) return JS_NewInt32(context, -EMFILE);
  filters[index] = seccomp_init((uint32_t)action);
  return JS_NewInt32(context, filters[index] == NULL ? -EINVAL : index);
}

/* seccompRelease(filter) */
PRIMITIVE(host_release) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  if (filter == NULL) return JS_EXCEPTION;
  seccomp_release(*filter);
  *filter = NULL;
  return JS_NewInt32(context, 0);
}

/* seccompArchitecture(filter, add, remove) */
PRIMITIVE(host_architecture) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  int64_t add, drop;
  if (filter == NULL || !integer(context, arguments[1], &add) || !integer(context, arguments[2], &drop))
    return JS_EXCEPTION;
  int result = seccomp_arch_add(*filter, (uint32_t)add);
  return JS_NewInt32(context, result < 0 ? result : seccomp_arch_remove(*filter, (uint32_t)drop));
}

/* seccompResolve(architecture, names, numbers): the number of each name, which a NUL ends, into an Int32Array. */
PRIMITIVE(host_resolve) {
  int64_t architecture;
  uint8_t *names, *numbers, *end;
  size_t length, room;
  if (!integer(context, arguments[0], &architecture) || !bytes_of(context, arguments[1], &names, &length) ||
      !bytes_of(context, arguments[2], &numbers, &room))
    return JS_EXCEPTION;
  for (size_t at = 0; at < length && (end = memchr(names + at, 0, length - at)) != NULL && room >= sizeof(int); room -= sizeof(int)) {
    int number = seccomp_syscall_resolve_name_arch((uint32_t)architecture, (const char *)names + at);
    memcpy(numbers, &number, sizeof number);
    numbers += sizeof number;
    at = (size_t)(end + 1 - names);
  }
  return JS_NewInt32(context, 0);
}

/* seccompAdd(filter, action, syscall, comparisons): the last is an array of struct scmp_arg_cmp. */
PRIMITIVE(host_add) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  struct scmp_arg_cmp comparisons[6];
  int64_t action, number;
  uint8_t *bytes;
  size_t length;
  if (filter == NULL || !integer(context, arguments[1], &action) || !integer(context, arguments[2], &number) ||
      !bytes_of(context, arguments[3], &bytes, &length))
    return JS_EXCEPTION;
  if (length > sizeof comparisons || length % sizeof *comparisons != 0) return JS_NewInt32(context, -EINVAL);
  if (length > 0) memcpy(comparisons, bytes, length);
  unsigned many = (unsigned)(length / sizeof *comparisons);
  return JS_NewInt32(context, seccomp_rule_add_array(*filter, (uint32_t)action, (int)number, many, comparisons));
}

/* seccompExport(filter, fd): writes the program, an array of struct sock_filter. */
PRIMITIVE(host_export) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  int64_t fd;
  if (filter == NULL || !integer(context, arguments[1], &fd)) return JS_EXCEPTION;
  return JS_NewInt32(context, seccomp_export_bpf(*filter, (int)fd));
}

void define_seccomp(JSContext *context, JSValueConst host) {
  define_function(context, host, "seccompVersion", host_version, 0);
  define_function(context, host, "seccompInit", host_init, 1);
  define_function(context, host, "seccompRelease", host_release, 1);
  define_function(context, host, "seccompArchitecture", host_architecture, 3);
  define_function(context, host, "seccompResolve", host_resolve, 3);
  define_function(context, host, "seccompAdd", host_add, 4);
  define_function(context, host, "seccompExport", host_export, 2);
}
