/* libseccomp's functions for TypeScript: a filter is a number, and each function returns what the library does, a value
 * or minus errno. */
#include "engine.h"
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#define TEXT(number) #number
#define DOTTED(major, minor, micro) TEXT(major) "." TEXT(minor) "." TEXT(micro)
#define VERSION DOTTED(SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO)

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

/* seccompInit(action, architecture, native): a filter for an architecture, in whose place the library puts the native. */
PRIMITIVE(host_init) {
  int64_t action, architecture, native;
  int index = 0, result = 0;
  if (forbidden(context, "seccompInit") || !integer(context, arguments[0], &action) ||
      !integer(context, arguments[1], &architecture) || !integer(context, arguments[2], &native))
    return JS_EXCEPTION;
  while (filters[index] != NULL)
    if (++index == (int)(sizeof filters / sizeof *filters)) return JS_NewInt32(context, -EMFILE);
  filters[index] = seccomp_init((uint32_t)action);
  if (filters[index] == NULL) return JS_NewInt32(context, -EINVAL);
  if (architecture != native) result = seccomp_arch_add(filters[index], (uint32_t)architecture);
  if (architecture != native && result == 0) result = seccomp_arch_remove(filters[index], (uint32_t)native);
  if (result == 0) return JS_NewInt32(context, index);
  seccomp_release(filters[index]);
  filters[index] = NULL;
  return JS_NewInt32(context, result);
}

/* seccompRelease(filter) */
PRIMITIVE(host_release) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  if (filter == NULL) return JS_EXCEPTION;
  seccomp_release(*filter);
  *filter = NULL;
  return JS_NewInt32(context, 0);
}

/* seccompResolve(architecture, names, numbers): the number of each name, which a NUL ends, into an Int32Array. */
PRIMITIVE(host_resolve) {
  int64_t architecture;
  struct bytes names, numbers;
  if (!integer(context, arguments[0], &architecture) || !bytes_of(context, arguments[1], &names) ||
      !bytes_of(context, arguments[2], &numbers))
    return JS_EXCEPTION;
  char *name = (char *)names.start, *end = name + names.length;
  for (size_t at = 0; name < end && at + sizeof(int) <= numbers.length; at += sizeof(int)) {
    if (memchr(name, 0, (size_t)(end - name)) == NULL) break;
    int number = seccomp_syscall_resolve_name_arch((uint32_t)architecture, name);
    memcpy(numbers.start + at, &number, sizeof number);
    name += strlen(name) + 1;
  }
  return JS_NewInt32(context, 0);
}

/* seccompAdd(filter, action, syscall, comparisons): the last is an array of struct scmp_arg_cmp. */
PRIMITIVE(host_add) {
  scmp_filter_ctx *filter = filter_of(context, arguments[0]);
  struct scmp_arg_cmp comparisons[6];
  int64_t action, number;
  struct bytes bytes;
  if (filter == NULL || !integer(context, arguments[1], &action) || !integer(context, arguments[2], &number) ||
      !bytes_of(context, arguments[3], &bytes))
    return JS_EXCEPTION;
  if (bytes.length > sizeof comparisons || bytes.length % sizeof *comparisons != 0) return JS_NewInt32(context, -EINVAL);
  if (bytes.length > 0) memcpy(comparisons, bytes.start, bytes.length);
  unsigned many = (unsigned)(bytes.length / sizeof *comparisons);
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
  JS_SetPropertyStr(context, host, "seccompVersion", JS_NewString(context, VERSION));
  define_function(context, host, "seccompInit", host_init, 3);
  define_function(context, host, "seccompRelease", host_release, 1);
  define_function(context, host, "seccompResolve", host_resolve, 3);
  define_function(context, host, "seccompAdd", host_add, 4);
  define_function(context, host, "seccompExport", host_export, 2);
}
