/* libseccomp's functions for TypeScript; each returns what the library does, a value or minus errno. */
#include "engine.h"
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#define TEXT(number) #number
#define DOTTED(major, minor, micro) TEXT(major) "." TEXT(minor) "." TEXT(micro)
#define VERSION DOTTED(SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO)

/* The one that is being made; each architecture of a profile has its own, one after the other. */
static scmp_filter_ctx filter;

/* Whole, and of 32 bits with a sign or without one: what the library takes would be cut off silently. */
static bool integer(JSContext *context, JSValueConst value, int64_t *out) {
  double number;
  if (JS_IsNumber(value) && JS_ToFloat64(context, &number, value) == 0 && number >= INT32_MIN &&
      number <= UINT32_MAX && (double)(int64_t)number == number) {
    *out = (int64_t)number;
    return true;
  }
  JS_ThrowTypeError(context, "seccomp: no number of 32 bits");
  return false;
}

static bool filter_is_made(JSContext *context) {
  if (filter == NULL) JS_ThrowTypeError(context, "seccomp: no filter is being made");
  return filter != NULL;
}

PRIMITIVE(host_release) {
  if (!filter_is_made(context)) return JS_EXCEPTION;
  seccomp_release(filter);
  filter = NULL;
  return JS_NewInt32(context, 0);
}

/* seccompInit(action, architecture, native): begins one for an architecture, which takes the place of the native. */
PRIMITIVE(host_init) {
  int64_t action, architecture, native;
  int result = 0;
  if (forbidden(context, "seccompInit") || !integer(context, arguments[0], &action) ||
      !integer(context, arguments[1], &architecture) || !integer(context, arguments[2], &native))
    return JS_EXCEPTION;
  if (filter != NULL) return JS_NewInt32(context, -EBUSY);
  if ((filter = seccomp_init((uint32_t)action)) == NULL) return JS_NewInt32(context, -EINVAL);
  if (architecture != native) result = seccomp_arch_add(filter, (uint32_t)architecture);
  if (architecture != native && result == 0) result = seccomp_arch_remove(filter, (uint32_t)native);
  if (result != 0) seccomp_release(filter), filter = NULL;
  return JS_NewInt32(context, result);
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

/* seccompAdd(action, syscall, comparisons): the last is an array of struct scmp_arg_cmp. */
PRIMITIVE(host_add) {
  struct scmp_arg_cmp comparisons[6];
  int64_t action, number;
  struct bytes bytes;
  if (!filter_is_made(context) || !integer(context, arguments[0], &action) ||
      !integer(context, arguments[1], &number) || !bytes_of(context, arguments[2], &bytes))
    return JS_EXCEPTION;
  if (bytes.length > sizeof comparisons || bytes.length % sizeof *comparisons != 0) return JS_NewInt32(context, -EINVAL);
  if (bytes.length > 0) memcpy(comparisons, bytes.start, bytes.length);
  unsigned many = (unsigned)(bytes.length / sizeof *comparisons);
  return JS_NewInt32(context, seccomp_rule_add_array(filter, (uint32_t)action, (int)number, many, comparisons));
}

/* seccompExport(fd): writes the program, an array of struct sock_filter. */
PRIMITIVE(host_export) {
  int64_t fd;
  if (!filter_is_made(context) || !integer(context, arguments[0], &fd)) return JS_EXCEPTION;
  return JS_NewInt32(context, seccomp_export_bpf(filter, (int)fd));
}

void define_seccomp(JSContext *context, JSValueConst host) {
  JS_SetPropertyStr(context, host, "seccompVersion", JS_NewString(context, VERSION));
  define_function(context, host, "seccompInit", host_init, 3);
  define_function(context, host, "seccompRelease", host_release, 0);
  define_function(context, host, "seccompResolve", host_resolve, 3);
  define_function(context, host, "seccompAdd", host_add, 3);
  define_function(context, host, "seccompExport", host_export, 1);
}
